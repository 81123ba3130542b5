//! The rules. Each is declared in its file: name, thresholds, documentation, and what it checks.

mod assists;
mod churn;
mod contention;
mod gc;
mod idle;
mod leak;
mod pauses;
mod saturation;
mod serial;
mod stuck;
mod syscalls;

use super::finding::Rule;

/// All rules. `docs/report.md` is made from them.
pub static RULES: &[&Rule] = &[
    &contention::RULE,
    &serial::RULE,
    &saturation::RULE,
    &idle::RULE,
    &gc::RULE,
    &assists::RULE,
    &pauses::RULE,
    &syscalls::RULE,
    &leak::RULE,
    &stuck::RULE,
    &churn::RULE,
];
