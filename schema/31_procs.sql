-- Procs (Ps): what a goroutine needs to run; there are GOMAXPROCS of them.
create table procs (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  proc integer not null, -- its number, from 0
  first_ns integer not null, -- first time it is mentioned
  running_ns integer not null, -- time a thread had it
  idle_ns integer not null, -- time no thread had it
  goroutine_ns integer not null, -- time a goroutine ran on it
  syscall_ns integer not null, -- time its goroutine was in a system call
  starts integer not null, -- how often a thread took it
  steals integer not null -- how often it was taken away from a system call
) strict;
