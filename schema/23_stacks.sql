-- Distinct stacks.
create table stacks (
  id integer primary key not null, -- row number
  first_frame integer not null, -- row in raw_stack_frames of the leaf; the others follow
  depth integer not null, -- number of frames
  leaf_function_id integer references functions (id), -- where it is; NULL for an empty stack
  root_function_id integer references functions (id) -- where it began; NULL for an empty stack
) strict;
