//! `gotrace export pprof`: profiles out of a trace.

use super::timeline::SelectionArguments;
use crate::analysis::PendingFile;
use crate::cli::locate::SourceOptions;
use crate::cli::terminal;
use crate::cli::{Error, Result, analyse, say};
use crate::model::NamePattern;
use crate::profile::Profile;
use crate::profile::from_trace::{TaskPattern, TraceProfileOptions, TraceProfileType};
use clap::Args;
use clap::builder::PossibleValue;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a profile of a trace measures, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeArgument(pub TraceProfileType);

impl clap::ValueEnum for TypeArgument {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: std::sync::LazyLock<Vec<TypeArgument>> = std::sync::LazyLock::new(|| {
            TraceProfileType::ALL.iter().copied().map(TypeArgument).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()).help(self.0.doc().trim_end_matches('.')))
    }
}

/// What to measure in a trace, and of what part of it.
#[derive(Args, Default)]
#[command(next_help_heading = "Traces")]
pub struct TraceProfileArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Only inside regions called NAME, in which * stands for any text
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Only inside the task with the number or name TASK, and those below it: in its regions, and on the
    /// goroutine that created it until it ends
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    /// Only samples with this label: goroutine, reason, state or (of alloc) type; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    /// The samples of go tool trace -pprof=TYPE: for net, sync, syscall and sched
    #[arg(long)]
    pub gotool: bool,
}

impl TraceProfileArguments {
    /// The options for some types.
    pub fn options(&self, types: Vec<TraceProfileType>) -> Result<TraceProfileOptions> {
        let mut labels = Vec::new();
        for label in &self.label {
            let Some((key, value)) = label.split_once('=') else {
                return Err(Error::Usage(format!("--label: want KEY=VALUE, got '{label}'")));
            };
            if !["goroutine", "reason", "state", "type"].contains(&key) {
                return Err(Error::Usage(format!(
                    "--label: profiles of traces have the labels goroutine, reason, state and type, not '{key}'"
                )));
            }
            labels.push((key.to_owned(), NamePattern::new(value)));
        }
        let mut selection = self.selection.selection()?;
        // Go's names are whole names; there is no star in them that stands for anything.
        let pattern = if self.gotool { NamePattern::exact } else { NamePattern::new };
        selection.functions = self.selection.function.iter().map(|name| pattern(name)).collect();
        Ok(TraceProfileOptions {
            types,
            selection,
            region: self.region.as_deref().map(pattern),
            task: self.task.as_deref().map(|task| match task.parse() {
                Ok(number) => TaskPattern::Number(number),
                Err(_) => TaskPattern::Name(NamePattern::new(task)),
            }),
            labels,
            is_gotool: self.gotool,
        })
    }
}

#[derive(Args)]
pub struct PprofArguments {
    /// Trace to measure in
    source: OsString,
    /// What to measure; may be repeated, all are read in one pass
    #[arg(
        short,
        long = "type",
        value_name = "TYPE",
        value_enum,
        value_delimiter = ',',
        required = true
    )]
    types: Vec<TypeArgument>,
    /// File to write, packed with gzip; with several types, a name with {} in it, which stands for the
    /// type; - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    /// Fail, and write nothing, if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    what: TraceProfileArguments,
    #[command(flatten)]
    options: SourceOptions,
}

/// `gotrace export pprof`.
pub fn run(arguments: &PprofArguments) -> Result<()> {
    let types: Vec<TraceProfileType> = arguments.types.iter().map(|one| one.0).collect();
    let name = arguments.output.to_string_lossy();
    if types.len() > 1 && !name.contains("{}") {
        return Err(Error::Usage(
            "-o: with several types, want a name with {} in it, which stands for the type".into(),
        ));
    }
    let options = arguments.what.options(types)?;
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    let profiles = analyse(location, arguments.strict)?.trace_profiles(&options)?;
    for (kind, profile) in options.types.iter().zip(&profiles) {
        let path = PathBuf::from(name.replace("{}", kind.as_str()));
        write(profile, &path, arguments.force)?;
        if profile.samples.is_empty() {
            say(&format!(
                "gotrace: {}: the trace has no sample of type {}",
                path.display(),
                kind.as_str()
            ));
        }
    }
    Ok(())
}

fn write(profile: &Profile, path: &Path, force: bool) -> Result<()> {
    // Packed whatever the name, as profiles are.
    let mut bytes = Vec::new();
    profile.write_packed(&mut bytes)?;
    if path == Path::new("-") {
        terminal::refuse_terminal("a packed profile", "-o FILE")?;
        return Ok(terminal::output().write_all(&bytes)?);
    }
    let pending = PendingFile::new(path, force)?;
    std::fs::write(pending.path(), &bytes)?;
    pending.keep()
}
