-- Values of the samples of profiles, on the same stacks and functions as traces.
create view profile_samples as
-- profile_id: the profile
-- sample_id: the sample; a sample has a row for each type of which it has a value, and labels in profile_labels
-- type: what it measures, such as 'cpu' or 'inuse_space'
-- unit: unit of the value
-- is_default: 1 for the type that is shown if nobody asks for another
-- stack_id: where; NULL for an empty stack
-- value: the value
select t.profile_id as profile_id, s.sample_id as sample_id, t.type as type, t.unit as unit,
  t.is_default as is_default, s.stack_id as stack_id, s.value as value
from raw_profile_samples s
join profile_types t on t.id = s.type_id;
