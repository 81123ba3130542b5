-- What each profile measures: a sample has one value for each of these.
create table profile_types (
  id integer primary key not null, -- row number
  profile_id integer not null references profiles (id), -- the profile
  position integer not null, -- 0 for the first value of a sample
  type text not null, -- such as 'cpu', 'inuse_space', 'delay', 'goroutine'
  unit text not null, -- such as 'nanoseconds', 'bytes', 'count'
  is_default integer not null -- 1 for the type that is shown if nobody asks for another
) strict;
