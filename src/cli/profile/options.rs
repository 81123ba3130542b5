//! The options of `gotrace profile`: those of `go tool pprof`, under its names.

use crate::analysis::{Shown, ViewForm, find_view};
use crate::cli::export::pprof::{TraceProfileArguments, TypeArgument};
use crate::cli::locate::{UrlOptions, parse_seconds};
use crate::picture::{ColorBy, FlameOptions};
use crate::profile::{Config, GRANULARITIES, ReadLimits, Symbolize, parse_size};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Output formats of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileFormat {
    /// As go tool pprof prints it
    Text,
    /// One object
    Json,
    /// Comma-separated values with a header line
    Csv,
    /// For graph: the language of graphviz
    Dot,
    /// For graph: a picture
    Svg,
}

/// What the colours of a flame graph tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Coloring {
    /// Functions: equal names have equal colours
    #[default]
    Function,
    /// Packages; the runtime is grey
    Package,
    /// What the goroutine did, which is added as a last frame: profiles of traces have it
    State,
}

#[derive(Args)]
#[command(
    args_override_self = true,
    override_usage = "gotrace profile [OPTIONS] [VIEW [REGEX]] SOURCE..."
)]
pub struct ProfileArguments {
    /// What to show, a pattern for peek and list, then the sources; without a view, a prompt
    ///
    /// Views: top, tree, peek REGEX, list REGEX, traces, tags, raw, comments, graph, flame, folded,
    /// dot, callgrind, proto, topproto. Several sources are merged. A program before the sources
    /// gives the profile its name.
    #[arg(required = true, value_name = "VIEW|SOURCE")]
    pub words: Vec<OsString>,

    /// Output format; by default what FILE ends in, else svg for pictures and text for the rest
    #[arg(short, long, value_enum, help_heading = "Output")]
    pub format: Option<ProfileFormat>,
    /// File to write; standard output without it
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Overwrite FILE
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Exit with status 1 if a condition holds, such as 'flat% > 5 for main\.encode' or
    /// 'total > 100MB'; may be repeated
    #[arg(long, value_name = "CONDITION", help_heading = "Output")]
    pub fail_if: Vec<String>,
    /// For flame: what colours tell; a difference has red for more and blue for less
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value_t,
        hide_default_value = true,
        help_heading = "Output"
    )]
    color_by: Coloring,
    /// For flame: the root on top, which is the default, or with --icicle=false at the bottom
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "BOOL", help_heading = "Output")]
    icicle: bool,

    /// Profile to subtract; may be repeated
    #[arg(long, value_name = "SOURCE", conflicts_with = "diff_base", help_heading = "Comparing")]
    pub base: Vec<OsString>,
    /// Profile to compare with: percentages are of its total; may be repeated
    #[arg(long, value_name = "SOURCE", help_heading = "Comparing")]
    pub diff_base: Vec<OsString>,
    /// Scale to the total of the base
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Comparing")]
    normalize: Option<String>,
    /// Leave out negative values
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Comparing")]
    drop_negative: Option<String>,

    /// Sample type to show, by name or number
    #[arg(long, value_name = "NAME", help_heading = "Values")]
    sample_index: Option<String>,
    /// Same as --sample-index=inuse_space
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    inuse_space: bool,
    /// Same as --sample-index=inuse_objects
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    inuse_objects: bool,
    /// Same as --sample-index=alloc_space
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    alloc_space: bool,
    /// Same as --sample-index=alloc_objects
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    alloc_objects: bool,
    /// Same as --sample-index=delay
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    total_delay: bool,
    /// Same as --sample-index=contentions
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    contentions: bool,
    /// Same as --mean --sample-index=delay
    #[arg(long, help_heading = "Values", hide_short_help = true)]
    mean_delay: bool,
    /// Average over the first sample type
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Values")]
    mean: Option<String>,
    /// Divide all values by this
    #[arg(long, value_name = "NUMBER", help_heading = "Values")]
    divide_by: Option<String>,
    /// Unit of values: auto, ms, MB, ...
    #[arg(long, value_name = "UNIT", help_heading = "Values")]
    unit: Option<String>,
    /// Percentages of what is in focus
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Values")]
    relative_percentages: Option<String>,

    /// Sort by cumulative values
    #[arg(long, help_heading = "How much to show")]
    cum: bool,
    /// Sort by own values
    #[arg(long, conflicts_with = "cum", help_heading = "How much to show")]
    flat: bool,
    /// flat or cum
    #[arg(long, value_name = "ORDER", conflicts_with_all = ["cum", "flat"], help_heading = "How much to show")]
    sort: Option<String>,
    /// Most nodes to show
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "How much to show")]
    nodecount: Option<String>,
    /// Leave out nodes below this share of the total [default: 0.005]
    #[arg(long, value_name = "SHARE", help_heading = "How much to show")]
    nodefraction: Option<String>,
    /// Leave out edges below this share of the total [default: 0.001]
    #[arg(long, value_name = "SHARE", help_heading = "How much to show")]
    edgefraction: Option<String>,
    /// Honour nodecount, nodefraction and edgefraction; if false, show everything
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "How much to show")]
    trim: Option<String>,
    /// Treat what is reached on different ways as different (graph, callgrind)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "How much to show")]
    call_tree: Option<String>,
    /// Leave out the header of reports
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "How much to show")]
    compact_labels: Option<String>,

    /// Keep samples through a frame that matches
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    focus: Option<String>,
    /// Drop samples through a frame that matches
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    ignore: Option<String>,
    /// Leave out frames that match
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    hide: Option<String>,
    /// Leave out frames that do not match
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    show: Option<String>,
    /// Drop what is above the highest frame that matches
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    show_from: Option<String>,
    /// Drop what is below the lowest frame that matches
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    prune_from: Option<String>,
    /// Keep samples with a label in a range (bytes=1kb:1mb) or matching (key=regex)
    #[arg(long, value_name = "FILTER", help_heading = "Filters")]
    tagfocus: Option<String>,
    /// Drop samples with a label in a range or matching
    #[arg(long, value_name = "FILTER", help_heading = "Filters")]
    tagignore: Option<String>,
    /// Keep labels whose names match
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    tagshow: Option<String>,
    /// Drop labels whose names match
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    taghide: Option<String>,
    /// Make frames at the root of these labels
    #[arg(long, value_name = "KEYS", help_heading = "Filters")]
    tagroot: Option<String>,
    /// Make frames at the leaf of these labels
    #[arg(long, value_name = "KEYS", help_heading = "Filters")]
    tagleaf: Option<String>,
    /// Keep frames that the profile calls uninteresting
    #[arg(long, help_heading = "Filters")]
    pub all_frames: bool,

    /// What to tell apart: functions, filefunctions, files, lines or addresses
    #[arg(long, value_name = "WHAT", help_heading = "Granularity")]
    granularity: Option<String>,
    /// Same as --granularity=functions
    #[arg(long, help_heading = "Granularity", hide_short_help = true)]
    functions: bool,
    /// Same as --granularity=filefunctions
    #[arg(long, help_heading = "Granularity", hide_short_help = true)]
    filefunctions: bool,
    /// Same as --granularity=files
    #[arg(long, help_heading = "Granularity", hide_short_help = true)]
    files: bool,
    /// Same as --granularity=lines
    #[arg(long, help_heading = "Granularity", hide_short_help = true)]
    lines: bool,
    /// Same as --granularity=addresses
    #[arg(long, help_heading = "Granularity", hide_short_help = true)]
    addresses: bool,
    /// Count what was inlined for the function it is in
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Granularity")]
    noinlines: Option<String>,
    /// Show columns with lines
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Granularity")]
    showcolumns: Option<String>,

    /// Folders to look for sources in
    #[arg(long, value_name = "PATH", help_heading = "Sources")]
    source_path: Option<String>,
    /// Prefixes to take off the names of source files
    #[arg(long, value_name = "PATH", help_heading = "Sources")]
    trim_path: Option<String>,
    /// Longest wait for an answer from a URL, in seconds or with a unit [default: 30 s more than the
    /// recording takes]; or longest time it may take to ask a database [default: 60]
    #[arg(long, value_name = "N", value_parser = parse_seconds, help_heading = "Sources")]
    pub timeout: Option<u64>,
    /// Most memory that what is kept of one source may take [default: 2GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Sources")]
    max_memory: Option<u64>,
    /// How many times its size a packed source may unpack to, beyond 256 MiB [default: 200]
    #[arg(long, value_name = "N", help_heading = "Sources")]
    max_unpack: Option<u64>,
    /// Remark to add to the profile
    #[arg(long, value_name = "TEXT", help_heading = "Sources")]
    pub add_comment: Option<String>,
    /// Build id of the program, if the profile does not tell it
    #[arg(long, value_name = "ID", help_heading = "Sources")]
    pub buildid: Option<String>,
    /// As in pprof; none: leave names as they are, and do not use the symbols that text profiles have in
    /// their comments
    #[arg(long, value_name = "HOW", value_parser = Symbolize::parse, default_value = "local", hide_default_value = true, help_heading = "Sources", hide_short_help = true)]
    pub symbolize: Symbolize,
    /// Which profile of a database to show, by its row in profiles
    #[arg(long, value_name = "N", help_heading = "Sources")]
    pub profile: Option<i64>,
    /// Only this trace of a database, by its row in the table traces
    #[arg(long, value_name = "N", help_heading = "Traces")]
    pub trace: Option<i64>,
    /// What to measure in sources that are traces, or databases with traces
    #[arg(short = 't', long = "type", value_name = "TYPE", value_enum, help_heading = "Traces")]
    pub kind: Option<TypeArgument>,
    #[command(flatten)]
    pub traces: TraceProfileArguments,
    /// How long to record from a URL, in seconds or with a unit
    #[arg(long, value_name = "N", value_parser = parse_seconds, help_heading = "URLs")]
    pub seconds: Option<u64>,
    /// Keep what came from a URL in FILE
    #[arg(long, value_name = "FILE", help_heading = "URLs")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub locations: UrlOptions,
}

impl ProfileArguments {
    /// The form of a view.
    pub fn form(&self, shown: Shown) -> crate::cli::Result<ViewForm> {
        let by_name = || self.output.as_deref().map_or(Ok(None), ViewForm::of_file);
        let by_view = match shown {
            Shown::Graph | Shown::Flame => ViewForm::Svg,
            Shown::Report(_) => ViewForm::Text,
        };
        Ok(match self.format {
            Some(ProfileFormat::Text) => ViewForm::Text,
            Some(ProfileFormat::Json) => ViewForm::Json,
            Some(ProfileFormat::Csv) => ViewForm::Csv,
            Some(ProfileFormat::Dot) => ViewForm::Dot,
            Some(ProfileFormat::Svg) => ViewForm::Svg,
            None => by_name()?.unwrap_or(by_view),
        })
    }

    /// How to draw a flame graph.
    pub fn flame(&self) -> FlameOptions {
        // What a trace was asked for says more than what pprof calls the values.
        let title = self.kind.map(|kind| {
            let source = self.words.last().map_or("".into(), |source| source.to_string_lossy());
            match source.rsplit('/').next().unwrap_or(&source) {
                "-" => kind.0.as_str().to_owned(),
                name => format!("{name}: {}", kind.0.as_str()),
            }
        });
        let color_by = match self.color_by {
            Coloring::Function => ColorBy::Function,
            Coloring::Package => ColorBy::Package,
            Coloring::State => ColorBy::State,
        };
        FlameOptions { color_by, is_icicle: self.icicle, title }
    }

    /// The options as the report wants them. The error is for users.
    pub fn config(&self) -> Result<Config, String> {
        let mut config = Config::default();
        let values = [
            ("normalize", &self.normalize),
            ("drop_negative", &self.drop_negative),
            ("sample_index", &self.sample_index),
            ("mean", &self.mean),
            ("divide_by", &self.divide_by),
            ("unit", &self.unit),
            ("relative_percentages", &self.relative_percentages),
            ("sort", &self.sort),
            ("nodecount", &self.nodecount),
            ("nodefraction", &self.nodefraction),
            ("edgefraction", &self.edgefraction),
            ("trim", &self.trim),
            ("call_tree", &self.call_tree),
            ("compact_labels", &self.compact_labels),
            ("focus", &self.focus),
            ("ignore", &self.ignore),
            ("hide", &self.hide),
            ("show", &self.show),
            ("show_from", &self.show_from),
            ("prune_from", &self.prune_from),
            ("tagfocus", &self.tagfocus),
            ("tagignore", &self.tagignore),
            ("tagshow", &self.tagshow),
            ("taghide", &self.taghide),
            ("tagroot", &self.tagroot),
            ("tagleaf", &self.tagleaf),
            ("granularity", &self.granularity),
            ("noinlines", &self.noinlines),
            ("showcolumns", &self.showcolumns),
            ("source_path", &self.source_path),
            ("trim_path", &self.trim_path),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                config.set(name, value)?;
            }
        }
        config.cum |= self.cum;
        let flags = [self.functions, self.filefunctions, self.files, self.lines, self.addresses];
        let mut chosen = GRANULARITIES.iter().zip(flags).filter(|(_, is_set)| *is_set);
        if let Some((granularity, _)) = chosen.next() {
            if chosen.next().is_some() || self.granularity.is_some() {
                return Err("conflicting options: more than one granularity".into());
            }
            config.granularity = (*granularity).into();
        }
        // The first one counts, and --sample-index before all (pprof's `cli.go`, sampleIndex).
        let shortcuts = [
            (self.total_delay, "delay"),
            (self.mean_delay, "delay"),
            (self.contentions, "contentions"),
            (self.inuse_space, "inuse_space"),
            (self.inuse_objects, "inuse_objects"),
            (self.alloc_space, "alloc_space"),
            (self.alloc_objects, "alloc_objects"),
        ];
        for (is_set, name) in shortcuts {
            if is_set && config.sample_index.is_empty() {
                config.sample_index = name.into();
            }
        }
        config.mean |= self.mean_delay;
        if config.normalize && self.base.is_empty() && self.diff_base.is_empty() {
            return Err("--normalize: there must be a base to normalize by".into());
        }
        Ok(config)
    }

    /// What is read and kept of each source at most.
    pub fn read_limits(&self) -> ReadLimits {
        let default = ReadLimits::default();
        ReadLimits {
            memory_bytes: self.max_memory.unwrap_or(default.memory_bytes),
            unpack_ratio: self.max_unpack.unwrap_or(default.unpack_ratio),
        }
    }
}

/// What pprof has and gotrace has not, and what does nearly the same.
const MISSING: [(&[&str], &str); 7] = [
    (
        &["disasm", "weblist"],
        "machine code is not shown, as no program files are read; 'list REGEX' shows the source, 'top --addresses' the addresses",
    ),
    (
        &["web", "eog", "evince", "gv"],
        "no viewer is started; write the graph with 'graph SOURCE -o graph.svg' (at the prompt 'graph >graph.svg') and open it in a browser",
    ),
    (
        &["pdf", "png", "gif", "ps"],
        "pictures are SVG: 'graph SOURCE -o graph.svg'; for other kinds 'gotrace profile dot SOURCE | dot -Tpng'",
    ),
    (
        &["kcachegrind"],
        "no viewer is started; write the file for it with 'callgrind SOURCE -o FILE'",
    ),
    (
        &["http", "no_browser"],
        "'gotrace web SOURCE' shows the pages; --http HOST:PORT says where it listens",
    ),
    (&["intel_syntax", "tools"], "machine code is not shown, as no program files are read"),
    (&["save_config", "config"], "there are no saved settings"),
];

/// Options without a value here, which in pprof may have `=true` or `=false`.
const FLAGS: [&str; 15] = [
    "cum",
    "flat",
    "functions",
    "filefunctions",
    "files",
    "lines",
    "addresses",
    "inuse-space",
    "inuse-objects",
    "alloc-space",
    "alloc-objects",
    "total-delay",
    "contentions",
    "mean-delay",
    "all-frames",
];

/// Why pprof's command or option with this name, written with underscores, is not there.
pub fn missing(name: &str) -> Option<String> {
    let (_, why) = MISSING.iter().find(|(names, _)| names.contains(&name))?;
    Some(format!("{name}: {why}"))
}

/// `top20` as view and number.
pub fn view_with_count(name: &str) -> Option<(&str, &str)> {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let count = &name[plain.len()..];
    (!count.is_empty() && find_view(plain).is_some()).then_some((plain, count))
}

/// Whether an option, without its dashes, is one of go tool pprof, or has a counterpart there.
pub fn is_of_pprof(option: &str) -> bool {
    find_view(option).is_some()
        || view_with_count(option).is_some()
        || missing(&option.replace('-', "_")).is_some()
        || is_option(&option.replace('_', "-"))
}

/// Whether `gotrace profile` has an option with this name.
fn is_option(name: &str) -> bool {
    let command = ProfileArguments::augment_args(clap::Command::new("profile"));
    command.get_arguments().any(|option| option.get_long() == Some(name))
}

/// Options as people know them from `go tool pprof`, rewritten for this command line: one dash,
/// underscores, views as options (`-top`, `-list=main`), numbers in them (`top20`). The error is what to
/// say of one that is not there.
pub fn from_pprof(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    let mut words = words.peekable();
    let mut view = Vec::new();
    let mut is_over = false;
    while let Some(word) = words.next() {
        let is_first = view.is_empty() && out.is_empty();
        if let Some((plain, count)) = view_with_count(word.trim_start_matches('-'))
            && (word.starts_with('-') || is_first && !Path::new(&word).exists())
        {
            view.push(plain.to_owned());
            out.push(format!("--nodecount={count}"));
            continue;
        }
        if is_first
            && !Path::new(&word).exists()
            && let Some(why) = missing(&word)
        {
            return Err(why);
        }
        let name = word.trim_start_matches('-');
        let dashes = word.len() - name.len();
        is_over |= word == "--";
        if is_over || !(1..=2).contains(&dashes) || !is_long_name(name) {
            out.push(word);
            continue;
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        if let Some(why) = missing(&name.replace('-', "_")) {
            return Err(why);
        }
        match find_view(name) {
            // --flat and --tags exist as words of both kinds; only views are taken here.
            Some(found) if name != "flat" => {
                view.push(name.to_owned());
                if found.wants_pattern() {
                    let pattern = value.map(String::from).or_else(|| words.next());
                    view.extend(pattern);
                }
            }
            _ => {
                let name = name.replace('_', "-");
                if FLAGS.contains(&&*name)
                    && let Some(value) = value
                {
                    match value {
                        "true" | "t" | "T" | "TRUE" | "True" | "1" => out.push(format!("--{name}")),
                        "false" | "f" | "F" | "FALSE" | "False" | "0" => {}
                        _ => return Err(format!("{name}: want true or false, got {value:?}")),
                    }
                    continue;
                }
                out.push(match value {
                    Some(value) => format!("--{name}={value}"),
                    None => format!("--{name}"),
                });
            }
        }
    }
    view.extend(out);
    Ok(view)
}

/// Whether it can be the name of a long option: `-f` is a short one.
fn is_long_name(name: &str) -> bool {
    let name = name.split('=').next().unwrap_or("");
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_pprof_are_understood() {
        let rewrite = |words: &str| from_pprof(words.split(' ').map(String::from));
        let rewritten = |words: &str| rewrite(words).unwrap().join(" ");
        assert_eq!(rewritten("-top -cum heap.pb.gz"), "top --cum heap.pb.gz");
        assert_eq!(rewritten("-list main -noinlines cpu"), "list main --noinlines cpu");
        assert_eq!(rewritten("-peek=a.b --sample_index=1 x"), "peek a.b --sample-index=1 x");
        assert_eq!(rewritten("top -f json -o out x"), "top -f json -o out x");
        assert_eq!(rewritten("-focus a_b x"), "--focus a_b x");
        assert_eq!(rewritten("top -- -cum"), "top -- -cum");
        assert_eq!(rewritten("top20 -cum x"), "top --nodecount=20 --cum x");
        assert_eq!(rewritten("-tree5 x"), "tree --nodecount=5 x");
        assert_eq!(rewritten("top top20"), "top top20");
        for words in ["-disasm=main x", "weblist main x", "--http=:80 x", "-top -tools a x"] {
            assert!(rewrite(words).is_err(), "{words}");
        }
        assert_eq!(rewritten("-top -tls_ca a -tls_key=b x"), "top --tls-ca a --tls-key=b x");
        assert_eq!(rewritten("top web"), "top web");
        assert_eq!(rewritten("-top -cum=true -lines=false -trim=0 x"), "top --cum --trim=0 x");
        assert!(rewrite("-top -cum=perhaps x").is_err());
    }
}
