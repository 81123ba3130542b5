-- How many events of each kind a trace has.
create table event_counts (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  event text not null, -- name on the wire, such as 'GoBlock'
  events integer not null -- how many; events of the ordered stream, synchronisation points and tables not counted
) strict;
