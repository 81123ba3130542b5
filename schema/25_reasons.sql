-- Why goroutines wait or stop, as the runtime words it, and what kind of waiting that is.
create table reasons (
  id integer primary key not null, -- row number
  name text not null, -- such as 'chan receive' or 'sync'; empty where the trace does not tell
  kind text not null, -- 'network', 'lock', 'channel', 'select', 'sleep', 'forever', 'gc', 'runtime', 'unknown' or 'other'
  wait_kind text not null, -- what it means where the stack tells no more, in the words of docs/wait-kinds.md
  is_decisive integer not null -- 1 if wait_kind holds whatever the stack shows
) strict;
