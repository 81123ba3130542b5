-- title: The times when the collector left the program least
-- description: The windows of one length with the least mutator utilisation, none overlapping another; and what the
--   collector did in them.
-- filters: time
-- param window DURATION = 10ms: length of the window
-- param stw INTEGER = 1: 0 to leave pauses out of account
-- param background INTEGER = 1: 0 to leave out background mark workers
-- param assist INTEGER = 1: 0 to leave out mark assists
-- param sweep INTEGER = 0: 1 to count sweeping too
-- param per_proc INTEGER = 0: 1 to look at each proc by itself, as a goroutine on it sees it; dedicated workers are left out then
-- param limit INTEGER = 10: rows at most, -1 for all
-- column start_ns INTEGER: when the window begins
-- column duration_ns INTEGER: its length; that of the trace if it is shorter
-- column utilisation REAL: share of the procs the program had in it, 0 to 1
-- column proc INTEGER: with per_proc, the proc; else NULL
-- column stopped_ns INTEGER: how much of it the world was stopped for the collector
-- column background_ns INTEGER: time of background mark workers in it, summed over them
-- column assist_ns INTEGER: time of mark assists in it, summed over them
with windows as materialized (
  select start_ns, duration_ns, utilisation, proc
  from mmu_worst(iif(:stw, 'stw ', '') || iif(:background, 'background ', '')
      || iif(:assist, 'assist ', '') || iif(:sweep, 'sweep ', '') || iif(:per_proc, 'per_proc', ''),
      :window, :limit)
)
select w.start_ns as start_ns, w.duration_ns as duration_ns,
  round(w.utilisation, 5) as utilisation, w.proc as proc,
  (select coalesce(sum(min(p.start_ns + p.duration_ns, w.start_ns + w.duration_ns)
      - max(p.start_ns, w.start_ns)), 0)
    from stop_the_world p
    where p.kind like '%GC%' and p.start_ns < w.start_ns + w.duration_ns
      and p.start_ns + p.duration_ns > w.start_ns) as stopped_ns,
  (select coalesce(sum(min(k.start_ns + k.duration_ns, w.start_ns + w.duration_ns)
      - max(k.start_ns, w.start_ns)), 0)
    from gc_workers k
    where k.kind <> 'idle' and k.start_ns < w.start_ns + w.duration_ns
      and k.start_ns + k.duration_ns > w.start_ns) as background_ns,
  (select coalesce(sum(min(a.start_ns + a.duration_ns, w.start_ns + w.duration_ns)
      - max(a.start_ns, w.start_ns)), 0)
    from ranges a
    where a.name = 'GC mark assist' and a.start_ns < w.start_ns + w.duration_ns
      and a.start_ns + a.duration_ns > w.start_ns) as assist_ns
from windows w
order by w.utilisation, w.start_ns, w.proc;
