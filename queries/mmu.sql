-- title: Minimum mutator utilisation
-- description: The least share of the procs that the program had beside the collector in any window of a length, from
--   1 µs to the whole trace. A window with 0 is a time of that length in which nothing but the collector ran.
--   mmu-worst shows the worst windows of one length.
-- filters: time
-- param stw INTEGER = 1: 0 to leave pauses out of account
-- param background INTEGER = 1: 0 to leave out background mark workers
-- param assist INTEGER = 1: 0 to leave out mark assists
-- param sweep INTEGER = 0: 1 to count sweeping too
-- param per_proc INTEGER = 0: 1 to look at each proc by itself, as a goroutine on it sees it; dedicated workers are left out then
-- param window DURATION = null: only this length of the window
-- column window_ns INTEGER: length of the window
-- column utilisation REAL: least share in any such window, 0 to 1
-- column p999 REAL: the same if the worst 0.1 % of the windows are left out
-- column p99 REAL: the same without the worst 1 %
-- column p95 REAL: the same without the worst 5 %
-- column worst_at_ns INTEGER: when the worst window begins, the first if there are several
select window_ns as window_ns, round(utilisation, 5) as utilisation, round(p999, 5) as p999,
  round(p99, 5) as p99, round(p95, 5) as p95, worst_at_ns as worst_at_ns
from mmu(iif(:stw, 'stw ', '') || iif(:background, 'background ', '')
      || iif(:assist, 'assist ', '') || iif(:sweep, 'sweep ', '') || iif(:per_proc, 'per_proc', ''),
      :window)
order by window_ns;
