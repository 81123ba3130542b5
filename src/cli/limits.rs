//! What a command that asks a database may use: `--timeout`, `--max-memory`, `--max-temp`.

use super::{Error, Result};
use crate::profile::{parse_duration, parse_size};
use crate::store::Limits;
use clap::Args;
use std::time::Duration;

#[derive(Args)]
pub struct LimitOptions {
    /// Most memory the database and gotrace's own functions may take
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = parse_size, hide_short_help = true)]
    max_memory: u64,
    /// Most that may go into temporary files, as for sorting
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = parse_size, hide_short_help = true)]
    max_temp: u64,
}

impl LimitOptions {
    /// The limits, with the value of `--timeout` and a number of rows; 0 is no limit.
    pub fn limits(&self, timeout: &str, rows: u64) -> Result<Limits> {
        // A number alone is seconds, as in `profile` and pprof.
        let ns = match timeout.parse::<u64>() {
            Ok(seconds) => seconds.checked_mul(1_000_000_000),
            Err(_) => parse_duration(timeout).and_then(|ns| u64::try_from(ns).ok()),
        };
        let ns = ns.ok_or_else(|| {
            Error::Usage(format!("--timeout: want a duration such as 10s, got '{timeout}'"))
        })?;
        Ok(Limits {
            time: (ns > 0).then(|| Duration::from_nanos(ns)),
            rows: (rows > 0).then_some(rows),
            enough: None,
            memory: self.max_memory.max(LEAST_MEMORY),
            spill: self.max_temp,
        })
    }
}

/// Less than this is not enough to open a database.
const LEAST_MEMORY: u64 = 64 << 20;
