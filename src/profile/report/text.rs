//! Views for people, as pprof prints them.

use super::{Report, View, ViewError};
use std::io::Write;

impl Report {
    /// Writes a view as `go tool pprof` prints it; `proto` and `topproto` packed with gzip.
    ///
    /// # Errors
    /// If it shows nothing, or if `out` fails.
    pub fn write_text(mut self, view: View, out: &mut impl Write) -> Result<(), ViewError> {
        match view {
            View::Top => self.top().write(out)?,
            View::Tree | View::Peek => match self.tree() {
                Ok(tree) => tree.write(out)?,
                Err(what) => return Err(ViewError::Failed(what)),
            },
            View::List => self.list().map_err(ViewError::Failed)?.write(out)?,
            View::Traces => self.traces().write(out)?,
            View::Tags => self.tags().write(out)?,
            View::Raw => self.write_raw(out)?,
            View::Comments => self.write_comments(out)?,
            View::Dot => self.dot().write(out)?,
            View::Callgrind => self.write_callgrind(out)?,
            View::Proto => self.into_profile().write_packed(out)?,
            View::TopProto => self.top_profile().write_packed(out)?,
            View::Folded => {
                for (stack, value) in self.folded() {
                    writeln!(out, "{stack} {value}")?;
                }
            }
        }
        Ok(())
    }
}
