-- The frames of all stacks, one stack after the other, leaf first.
create table raw_stack_frames (
  id integer primary key not null, -- row number; stacks names ranges of it
  frame_id integer not null references frames (id) -- the frame
) strict;
