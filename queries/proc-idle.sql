-- title: Procs idle while goroutines waited for one
-- description: The trace in equal steps, and for each how much time of idle procs a goroutine was waiting for. A
--   little is the time it takes to wake a thread; much means that the operating system does not run the threads, or
--   that many short bursts end before another thread is up.
-- filters: time
-- param buckets INTEGER = 20: into how many steps to cut the time
-- column start_ns INTEGER: when the step begins
-- column duration_ns INTEGER: how long it is
-- column idle REAL: procs that were idle, on average
-- column runnable REAL: goroutines that waited for a proc, on average
-- column wasted_ns INTEGER: time of idle procs for which a goroutine waited, summed over procs
-- column wasted_share REAL: share of the step and of one proc that is, 0 to 1 or more
-- column longest_ns INTEGER: the longest time without a break in which that was so
-- column longest_at_ns INTEGER: when that began; NULL if it never was so
select start_ns as start_ns, duration_ns as duration_ns,
  round(1.0 * idle_ns / duration_ns, 3) as idle,
  round(1.0 * runnable_ns / duration_ns, 3) as runnable, wasted_ns as wasted_ns,
  round(1.0 * wasted_ns / duration_ns, 4) as wasted_share, longest_ns as longest_ns,
  longest_at_ns as longest_at_ns
from idle_buckets(:buckets)
where duration_ns > 0
order by start_ns;
