-- title: Who calls whom in profiles, by value
-- description: Each call in the stacks of pprof profiles with the value of the samples it is in, the
--   heaviest first. A call counts once for each stack, also where it recurs.
-- filters: none
-- param profile INTEGER = null: only this profile, a row number of profiles; null for all
-- param type TEXT = null: what to count, such as 'alloc_space'; null for the default of each profile
-- param function TEXT = '*': only calls from or to functions of this name, in which * is any text
-- param limit INTEGER = 30: rows at most, -1 for all
-- column caller TEXT: full name of the function that calls
-- column callee TEXT: full name of the function that is called
-- column type TEXT: what is counted
-- column unit TEXT: unit of the value
-- column value INTEGER: value of the samples the call is in
-- column share REAL: share of all, 0 to 1
with samples as (
  select type, unit, stack_id, sum(value) as value,
    sum(sum(value)) over (partition by type, unit) as total
  from profile_samples
  where (:profile is null or profile_id = :profile)
    and case when :type is null then is_default else type = :type end
  group by type, unit, stack_id
), calls as (
  select s.type as type, s.unit as unit, caller.function as caller, callee.function as callee,
    s.value as value, s.total as total
  from samples s
  join stack_frames callee on callee.stack_id = s.stack_id
  join stack_frames caller
    on caller.stack_id = s.stack_id and caller.position = callee.position + 1
  where caller.function_id <> callee.function_id
    and (caller.function glob :function or callee.function glob :function)
  group by s.type, s.unit, s.stack_id, caller.function_id, callee.function_id
)
select caller as caller, callee as callee, type as type, unit as unit, sum(value) as value,
  round(1.0 * sum(value) / total, 4) as share
from calls
group by type, unit, caller, callee
order by type, value desc, caller, callee
limit :limit;
