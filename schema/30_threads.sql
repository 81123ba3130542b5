-- Operating system threads (Ms).
create table threads (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  thread integer not null, -- as the trace numbers them
  first_ns integer not null, -- first event on it
  last_ns integer not null, -- last event on it
  events integer not null, -- events on it
  running_ns integer not null, -- time goroutines ran on it
  syscall_ns integer not null -- time goroutines were in system calls on it, with or without a proc
) strict;
