-- Labels of the samples of profiles, such as those that pprof.Do sets.
create table profile_labels (
  id integer primary key not null, -- row number
  profile_id integer not null references profiles (id), -- the profile
  sample_id integer not null, -- the sample, as in profile_samples
  key text not null, -- name of the label
  text text, -- what it says; NULL if it is a number
  number integer, -- what it says; NULL if it is a text
  unit text -- unit of the number; NULL if it is a text or the profile does not tell
) strict;
