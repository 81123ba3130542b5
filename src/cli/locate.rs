//! What the options say about where sources are.

use crate::profile::parse_size;
use crate::source::Location;
use clap::Args;

#[derive(Args)]
pub struct SourceOptions {
    /// Most bytes to take from a URL
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = parse_size, hide_short_help = true)]
    max_download: u64,
}

impl SourceOptions {
    /// The place that the user named.
    pub fn locate(&self, text: &str) -> Location {
        Location::parse(text).with_max_download(self.max_download)
    }
}
