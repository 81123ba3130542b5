-- Functions that appear in stacks.
create table functions (
  id integer primary key not null, -- row number
  name text not null, -- full name, such as net/http.(*conn).serve
  file text not null -- source file
) strict;
