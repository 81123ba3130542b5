-- Values of the samples of profiles; values of 0 are left out.
create table raw_profile_samples (
  id integer primary key not null, -- row number
  type_id integer not null references profile_types (id), -- what it is a value of
  sample_id integer not null, -- the sample; its values have the same number, and so have its labels
  stack_id integer references stacks (id), -- where; NULL for an empty stack
  value integer not null -- in the unit of the type
) strict;
