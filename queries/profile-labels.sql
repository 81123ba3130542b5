-- title: Values of profiles by label
-- description: What the samples of pprof profiles come to for each value of each label, and what the
--   samples without that label come to.
-- filters: none
-- param profile INTEGER = null: only this profile, a row number of profiles; null for all
-- param type TEXT = null: what to count, such as 'alloc_space'; null for the default of each profile
-- param key TEXT = '*': only labels of this name, in which * is any text
-- param limit INTEGER = 50: rows at most, -1 for all
-- column key TEXT: name of the label
-- column label TEXT: its value, numbers with their unit; NULL for the samples without the label
-- column type TEXT: what is counted
-- column unit TEXT: unit of the value
-- column samples INTEGER: samples
-- column value INTEGER: sum of their values
-- column share REAL: share of all samples of the profiles that have the label, 0 to 1
with samples as (
  select profile_id, sample_id, type, unit, value
  from profile_samples
  where (:profile is null or profile_id = :profile)
    and case when :type is null then is_default else type = :type end
), keys as (
  -- The sum of all samples of the profiles in which a key occurs.
  select k.key as key, s.type as type, s.unit as unit, count(*) as samples, sum(s.value) as total
  from (select distinct key, profile_id from profile_labels where key glob :key) k
  join samples s on s.profile_id = k.profile_id
  group by k.key, s.type, s.unit
), labelled as (
  select l.key as key,
    coalesce(l.text, l.number || coalesce(' ' || l.unit, '')) as label,
    s.type as type, s.unit as unit, count(*) as samples, sum(s.value) as value
  from samples s
  join profile_labels l on l.sample_id = s.sample_id
  where l.key glob :key
  group by l.key, label, s.type, s.unit
), without as (
  select k.key as key, null as label, k.type as type, k.unit as unit,
    k.samples - sum(l.samples) as samples, k.total - sum(l.value) as value
  from keys k
  join labelled l on l.key = k.key and l.type = k.type and l.unit = k.unit
  group by k.key, k.type, k.unit
), everything as (
  select * from labelled union all select * from without where samples > 0
)
select e.key as key, e.label as label, e.type as type, e.unit as unit, e.samples as samples,
  e.value as value, round(1.0 * e.value / nullif(k.total, 0), 4) as share
from everything e
join keys k on k.key = e.key and k.type = e.type and k.unit = e.unit
order by e.type, e.key, e.value desc, e.label
limit :limit;
