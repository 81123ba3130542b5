-- title: What grows from one heap profile to the next
-- description: The functions whose own allocations in use grew from the first to the last of several
--   heap profiles, in the order of their times. One that grew at each step is a candidate for a leak.
-- filters: none
-- param type TEXT = 'inuse_space': what to follow, such as 'inuse_objects'
-- param limit INTEGER = 30: rows at most, -1 for all
-- column function TEXT: full name of the function that allocates
-- column growth INTEGER: change from the first profile to the last
-- column steps_up INTEGER: how often it grew from one profile to the next
-- column steps INTEGER: profiles after the first
-- column first INTEGER: in the first profile
-- column last INTEGER: in the last profile
-- column unit TEXT: unit of the values
with in_order as (
  select p.id as profile_id, t.id as type_id, t.unit as unit,
    row_number() over (order by p.time_unix_ns, p.id) as position,
    count(*) over () as profiles
  from profiles p
  join profile_types t on t.profile_id = p.id and t.type = :type
), leaves as (
  select o.profile_id as profile_id, s.leaf_function_id as function_id, sum(v.value) as value
  from in_order o
  join raw_profile_samples v on v.type_id = o.type_id
  join stacks s on s.id = v.stack_id
  group by o.profile_id, s.leaf_function_id
), series as (
  -- A function that a profile does not have has nothing in use there.
  select f.function_id as function_id, o.position as position, o.profiles as profiles,
    o.unit as unit, coalesce(l.value, 0) as value,
    lag(coalesce(l.value, 0)) over (partition by f.function_id order by o.position) as previous
  from (select distinct function_id from leaves) f
  cross join in_order o
  left join leaves l on l.function_id = f.function_id and l.profile_id = o.profile_id
), sums as (
  select function_id, unit, profiles - 1 as steps, sum(value > previous) as steps_up,
    sum(value * (position = 1)) as first, sum(value * (position = profiles)) as last
  from series
  group by function_id
)
select f.name as function, s.last - s.first as growth, s.steps_up as steps_up, s.steps as steps,
  s.first as first, s.last as last, s.unit as unit
from sums s
join functions f on f.id = s.function_id
where s.last > s.first and s.steps > 0
order by growth desc, function
limit :limit;
