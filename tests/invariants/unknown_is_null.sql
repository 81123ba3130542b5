-- What is not known is NULL: never -1, never an empty name.
select 'goroutine' as what, id from goroutines where name = '' or goid <= 0
union all
select 'state', id from raw_states where proc < 0
union all
select 'thread', id from threads where thread < 0
union all
select 'proc', id from procs where proc < 0
union all
select 'range', id from ranges where proc < 0
union all
select 'sample', id from cpu_samples where proc < 0 or thread < 0
union all
select 'trace', id from traces where gomaxprocs <= 0 or start_unix_ns <= 0
union all
select 'waiting state', id from goroutine_states where state is null;
