-- Distinct positions in functions.
create table frames (
  id integer primary key not null, -- row number
  function_id integer not null references functions (id), -- the function
  line integer not null, -- line in the function's file
  pc integer not null -- program counter
) strict;
