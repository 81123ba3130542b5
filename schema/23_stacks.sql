-- Distinct stacks.
create table stacks (
  id integer primary key not null, -- row number
  first_frame integer not null, -- row in raw_stack_frames of the leaf; the others follow
  depth integer not null, -- number of frames
  leaf_function_id integer references functions (id), -- where it is; NULL for an empty stack
  root_function_id integer references functions (id), -- where it began; NULL for an empty stack
  wait_kind text, -- what a goroutine that waits there waits for, as docs/wait-kinds.md infers it; NULL if no rule holds
  activity text -- 'http server', 'http client' or 'database/sql', as docs/wait-kinds.md infers it; NULL if none
) strict;
