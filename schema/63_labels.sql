-- Labels the runtime gives to goroutines, such as 'GC (dedicated)' to mark workers.
create table labels (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  time_ns integer not null, -- from when on, until the goroutine stops running
  goroutine_id integer not null references raw_goroutines (id), -- the goroutine
  label text not null -- the label
) strict;
