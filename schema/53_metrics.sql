-- Values over time.
create table metrics (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  name text not null, -- 'heap_live_bytes', 'heap_goal_bytes' or 'gomaxprocs'
  time_ns integer not null, -- from when on it held
  value integer not null -- the value; a heap goal of 2^63-1 or more is shown as 2^63-1 and means none
) strict;
