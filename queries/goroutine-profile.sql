-- title: Goroutines of goroutine profiles by stack
-- description: How many goroutines are at the same place, in goroutine profiles, with what the stack
--   is and what it began with. The most common first: those that pile up are a leak.
-- filters: none
-- param profile INTEGER = null: only this profile, a row number of profiles; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column goroutines INTEGER: how many
-- column root TEXT: full name of the function they began with
-- column leaf TEXT: full name of the function they are in
-- column labels TEXT: their labels, key=value; NULL if they have none
-- column profile_id INTEGER: joins profiles.id
-- column stack_id INTEGER: joins stacks.id
-- column stack TEXT: the stack, leaf first
with labelled as (
  select sample_id, group_concat(key || '=' || coalesce(text, number), ', ') as labels
  from profile_labels
  group by sample_id
)
select sum(s.value) as goroutines, stack_root(s.stack_id) as root, stack_leaf(s.stack_id) as leaf,
  l.labels as labels, s.profile_id as profile_id, s.stack_id as stack_id,
  stack(s.stack_id) as stack
from profile_samples s
left join labelled l on l.sample_id = s.sample_id
where s.type = 'goroutine' and (:profile is null or s.profile_id = :profile)
group by s.profile_id, s.stack_id, l.labels
order by goroutines desc, s.profile_id, s.stack_id, l.labels
limit :limit;
