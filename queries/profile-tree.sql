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
  select s.type as type, s.unit as unit, caller.name as caller, callee.name as callee,
    s.value as value, s.total as total
  from samples s
  join stacks k on k.id = s.stack_id
  -- The frame of the caller stands behind that of the callee. In stack_frames it would be
  -- searched for from the leaf on, which takes the square of the depth.
  join raw_stack_frames below on below.id between k.first_frame and k.first_frame + k.depth - 2
  join raw_stack_frames above on above.id = below.id + 1
  join frames of_callee on of_callee.id = below.frame_id
  join frames of_caller on of_caller.id = above.frame_id
  join functions callee on callee.id = of_callee.function_id
  join functions caller on caller.id = of_caller.function_id
  where caller.id <> callee.id
    and (caller.name glob :function or callee.name glob :function)
  group by s.type, s.unit, s.stack_id, caller.id, callee.id
)
select caller as caller, callee as callee, type as type, unit as unit, sum(value) as value,
  round(1.0 * sum(value) / total, 4) as share
from calls
group by type, unit, caller, callee
order by type, value desc, caller, callee
limit :limit;
