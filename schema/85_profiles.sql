-- One row for each pprof profile that was loaded.
create table profiles (
  id integer primary key not null, -- row number
  source text not null, -- what was loaded, as the user named it
  program text, -- file of the program that was profiled; NULL if the profile does not tell
  build_id text, -- build id of the program; NULL if the profile does not tell
  time_unix_ns integer, -- when it was collected, nanoseconds since 1970; NULL if the profile does not tell
  duration_ns integer, -- for how long; NULL if it is of a moment
  period_type text, -- what happens once in a period, such as 'cpu' or 'space'; NULL if the profile does not tell
  period_unit text, -- unit of the period, such as 'nanoseconds'; NULL if the profile does not tell
  period integer, -- between two samples, in that unit; NULL if the profile does not tell
  samples integer not null -- samples it has
) strict;
