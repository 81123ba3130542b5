-- One row for each trace that was loaded.
create table traces (
  id integer primary key not null, -- row number
  source text not null, -- what was loaded, as the user named it
  format text not null, -- header of the trace, such as 'go 1.26'; it names the format, not the Go release
  written_by text not null, -- which Go releases write this format
  size_bytes integer not null, -- length of the trace after unpacking, bytes
  start_clock_ns integer not null, -- trace clock at the start; added to any time here it gives the time Go's tools print
  start_unix_ns integer, -- wall time at the start, nanoseconds since 1970; NULL before Go 1.25
  duration_ns integer not null, -- from the first to the last event
  gomaxprocs integer, -- GOMAXPROCS as last seen; NULL if the trace does not tell
  events integer not null, -- ordered events, synchronisation points not counted
  generations integer not null, -- generations read
  goroutines integer not null, -- goroutines seen
  gaps integer not null, -- places where a part of the trace is missing
  lost_bytes integer not null, -- bytes that could not be used
  lost_events integer not null -- events that could not be used, as far as they could be counted
) strict;
