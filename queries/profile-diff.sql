-- title: What changed between two profiles
-- description: The functions whose values differ most between two pprof profiles: by default between
--   the first and the last of those of which the last is one.
-- filters: none
-- param before INTEGER = null: the earlier profile, a row number of profiles; null for the first
-- param after INTEGER = null: the later profile, a row number of profiles; null for the last
-- param type TEXT = null: what to compare, such as 'alloc_space'; null for the default of the later
-- param limit INTEGER = 30: rows at most, -1 for all
-- column function TEXT: full name
-- column flat_change INTEGER: change of the value in the function itself
-- column cum_change INTEGER: change of the value in it or in what it called
-- column flat_before INTEGER: value in the function itself, before
-- column flat_after INTEGER: value in the function itself, after
-- column cum_before INTEGER: value in it or in what it called, before
-- column cum_after INTEGER: value in it or in what it called, after
-- column unit TEXT: unit of the values
with wanted as (
  select t.type as type, t.unit as unit
  from profile_types t
  where t.profile_id = coalesce(:after, (select max(id) from profiles))
    and case when :type is null then t.is_default else t.type = :type end
  limit 1
), pair as (
  -- Only profiles of the same kind can be compared.
  select w.type as type, w.unit as unit,
    coalesce(:before, (
      select min(o.profile_id) from profile_types o where o.type = w.type and o.unit = w.unit
    )) as first,
    coalesce(:after, (select max(id) from profiles)) as last
  from wanted w
), samples as (
  select s.stack_id as stack_id, p.unit as unit, s.profile_id = p.last as is_after,
    sum(s.value) as value
  from pair p
  join profile_samples s on s.profile_id in (p.first, p.last) and s.type = p.type
  group by s.stack_id, s.profile_id
), on_stacks as (
  select f.function as function, s.unit as unit, min(f.position) = 0 as is_leaf,
    s.is_after as is_after, s.value as value
  from samples s
  join stack_frames f on f.stack_id = s.stack_id
  group by s.stack_id, s.is_after, f.function_id
), sums as (
  select function, unit,
    sum(value * is_leaf * (1 - is_after)) as flat_before,
    sum(value * is_leaf * is_after) as flat_after,
    sum(value * (1 - is_after)) as cum_before,
    sum(value * is_after) as cum_after
  from on_stacks
  group by function
)
select function as function, flat_after - flat_before as flat_change,
  cum_after - cum_before as cum_change, flat_before as flat_before, flat_after as flat_after,
  cum_before as cum_before, cum_after as cum_after, unit as unit
from sums
where flat_after <> flat_before or cum_after <> cum_before
order by abs(flat_after - flat_before) desc, abs(cum_after - cum_before) desc, function
limit :limit;
