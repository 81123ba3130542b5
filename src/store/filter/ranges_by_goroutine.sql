create temp table raw_state_ranges (
  id integer primary key not null, goroutine_id integer not null, first_state integer not null,
  last_state integer not null, start_ns integer not null, end_ns integer not null
);
insert into raw_state_ranges
select min(id), goroutine_id, min(id), max(id), min(start_ns), max(start_ns + duration_ns)
from filter_states
group by goroutine_id;
create index temp.filter_ranges_by_goroutine on raw_state_ranges (goroutine_id);
