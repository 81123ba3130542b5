-- Waiting time of each goroutine by reason, compact.
create table raw_goroutine_waits (
  id integer primary key not null, -- row number
  goroutine_id integer not null references raw_goroutines (id), -- the goroutine
  reason_id integer not null references reasons (id), -- why it waited
  waits integer not null, -- how often
  total_ns integer not null, -- how long in all
  max_ns integer not null -- the longest
) strict;
