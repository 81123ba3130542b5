-- title: Functions of profiles by value
-- description: The functions with the largest own values in pprof profiles, as gotrace profile top
--   shows them. Flat is the value in the function itself, cum also that in what it calls.
-- filters: none
-- param profile INTEGER = null: only this profile, a row number of profiles; null for all
-- param type TEXT = null: what to count, such as 'alloc_space'; null for the default of each profile
-- param limit INTEGER = 30: rows at most, -1 for all
-- column function TEXT: full name
-- column type TEXT: what is counted
-- column unit TEXT: unit of the values
-- column flat INTEGER: value in the function itself
-- column flat_share REAL: share of all, 0 to 1
-- column cum INTEGER: value in it or in what it called
-- column cum_share REAL: share of all, 0 to 1
with samples as (
  select type, unit, stack_id, sum(value) as value,
    sum(sum(value)) over (partition by type, unit) as total
  from profile_samples
  where (:profile is null or profile_id = :profile)
    and case when :type is null then is_default else type = :type end
  group by type, unit, stack_id
), on_stacks as (
  -- Once for each stack, also where a function calls itself.
  select s.type as type, s.unit as unit, f.function as function, min(f.position) = 0 as is_leaf,
    s.value as value, s.total as total
  from samples s
  join stack_frames f on f.stack_id = s.stack_id
  group by s.type, s.unit, s.stack_id, f.function_id
)
select function as function, type as type, unit as unit, sum(value * is_leaf) as flat,
  round(1.0 * sum(value * is_leaf) / total, 4) as flat_share, sum(value) as cum,
  round(1.0 * sum(value) / total, 4) as cum_share
from on_stacks
group by type, unit, function
order by type, flat desc, cum desc, function
limit :limit;
