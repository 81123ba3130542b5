-- Which rows of raw_goroutine_states belong to which goroutine. Ranges of one goroutine are in order of
-- time, too.
create table raw_state_ranges (
  id integer primary key not null, -- row number
  goroutine_id integer not null references raw_goroutines (id), -- the goroutine
  first_state integer not null, -- first row
  last_state integer not null, -- last row
  start_ns integer not null, -- when the first begins
  end_ns integer not null -- when the last ends
) strict;
