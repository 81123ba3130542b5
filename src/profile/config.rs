//! What can be said about a report: the options of pprof, with its names and defaults.
//!
//! Source: Go 1.27 pprof `internal/driver/config.go`, defaultConfig, and `commands.go`.

/// Options of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Treat what is reached on different ways as different (`dot` and `callgrind` only).
    pub call_tree: bool,
    /// Percentages of what is in focus instead of all.
    pub relative_percentages: bool,
    /// Unit to show values in; `minimum`, `auto` or a unit.
    pub unit: String,
    /// Leave out the header that says what the profile is.
    pub compact_labels: bool,
    /// Folders to look for sources in, as in `PATH`.
    pub source_path: String,
    /// Prefixes to take off file names, as in `PATH`.
    pub trim_path: String,
    /// Average over the first sample type.
    pub mean: bool,
    /// Sample type to show, by name or number; empty for the default.
    pub sample_index: String,
    /// What values are divided by.
    pub divide_by: f64,
    /// Scale to the total of the base.
    pub normalize: bool,
    /// Sort by cumulative values.
    pub cum: bool,
    /// Labels to make frames of at the root.
    pub tagroot: String,
    /// Labels to make frames of at the leaf.
    pub tagleaf: String,
    /// Leave out negative values.
    pub drop_negative: bool,
    /// How many nodes to show; -1 for what the view thinks best, 0 for all.
    pub nodecount: i64,
    /// Leave out nodes below this share of the total.
    pub nodefraction: f64,
    /// Leave out edges below this share of the total.
    pub edgefraction: f64,
    /// Honour the three options above.
    pub trim: bool,
    /// Keep samples through a frame that matches.
    pub focus: String,
    /// Drop samples through a frame that matches.
    pub ignore: String,
    /// Drop everything below a frame that matches.
    pub prune_from: String,
    /// Leave out frames that match.
    pub hide: String,
    /// Leave out frames that do not match.
    pub show: String,
    /// Drop everything above the highest frame that matches.
    pub show_from: String,
    /// Keep samples with a label in a range or matching.
    pub tagfocus: String,
    /// Drop samples with a label in a range or matching.
    pub tagignore: String,
    /// Keep labels whose names match.
    pub tagshow: String,
    /// Drop labels whose names match.
    pub taghide: String,
    /// Count what was inlined for the function it is in.
    pub noinlines: bool,
    /// Show columns.
    pub showcolumns: bool,
    /// `functions`, `filefunctions`, `files`, `lines`, `addresses`, or empty for what the view
    /// thinks best.
    pub granularity: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            call_tree: false,
            relative_percentages: false,
            unit: "minimum".into(),
            compact_labels: false,
            source_path: String::new(),
            trim_path: String::new(),
            mean: false,
            sample_index: String::new(),
            divide_by: 1.0,
            normalize: false,
            cum: false,
            tagroot: String::new(),
            tagleaf: String::new(),
            drop_negative: false,
            nodecount: -1,
            nodefraction: 0.005,
            edgefraction: 0.001,
            trim: true,
            focus: String::new(),
            ignore: String::new(),
            prune_from: String::new(),
            hide: String::new(),
            show: String::new(),
            show_from: String::new(),
            tagfocus: String::new(),
            tagignore: String::new(),
            tagshow: String::new(),
            taghide: String::new(),
            noinlines: false,
            showcolumns: false,
            granularity: String::new(),
        }
    }
}

/// What an option is: its place in [`Config`], by type.
enum Place<'a> {
    Text(&'a mut String),
    Flag(&'a mut bool),
    Count(&'a mut i64),
    Number(&'a mut f64),
}

/// The granularities.
pub const GRANULARITIES: [&str; 5] = ["functions", "filefunctions", "files", "lines", "addresses"];

/// The names of all options, sorted.
pub const OPTIONS: [&str; 31] = [
    "call_tree",
    "compact_labels",
    "divide_by",
    "drop_negative",
    "edgefraction",
    "focus",
    "granularity",
    "hide",
    "ignore",
    "mean",
    "nodecount",
    "nodefraction",
    "noinlines",
    "normalize",
    "prune_from",
    "relative_percentages",
    "sample_index",
    "show",
    "show_from",
    "showcolumns",
    "sort",
    "source_path",
    "tagfocus",
    "taghide",
    "tagignore",
    "tagleaf",
    "tagroot",
    "tagshow",
    "trim",
    "trim_path",
    "unit",
];

impl Config {
    fn place(&mut self, name: &str) -> Option<Place<'_>> {
        Some(match name {
            "call_tree" => Place::Flag(&mut self.call_tree),
            "compact_labels" => Place::Flag(&mut self.compact_labels),
            "divide_by" => Place::Number(&mut self.divide_by),
            "drop_negative" => Place::Flag(&mut self.drop_negative),
            "edgefraction" => Place::Number(&mut self.edgefraction),
            "focus" => Place::Text(&mut self.focus),
            "granularity" => Place::Text(&mut self.granularity),
            "hide" => Place::Text(&mut self.hide),
            "ignore" => Place::Text(&mut self.ignore),
            "mean" => Place::Flag(&mut self.mean),
            "nodecount" => Place::Count(&mut self.nodecount),
            "nodefraction" => Place::Number(&mut self.nodefraction),
            "noinlines" => Place::Flag(&mut self.noinlines),
            "normalize" => Place::Flag(&mut self.normalize),
            "prune_from" => Place::Text(&mut self.prune_from),
            "relative_percentages" => Place::Flag(&mut self.relative_percentages),
            "sample_index" => Place::Text(&mut self.sample_index),
            "show" => Place::Text(&mut self.show),
            "show_from" => Place::Text(&mut self.show_from),
            "showcolumns" => Place::Flag(&mut self.showcolumns),
            "source_path" => Place::Text(&mut self.source_path),
            "tagfocus" => Place::Text(&mut self.tagfocus),
            "taghide" => Place::Text(&mut self.taghide),
            "tagignore" => Place::Text(&mut self.tagignore),
            "tagleaf" => Place::Text(&mut self.tagleaf),
            "tagroot" => Place::Text(&mut self.tagroot),
            "tagshow" => Place::Text(&mut self.tagshow),
            "trim" => Place::Flag(&mut self.trim),
            "trim_path" => Place::Text(&mut self.trim_path),
            "unit" => Place::Text(&mut self.unit),
            _ => return None,
        })
    }

    /// Sets an option, or a choice of one (`cum`, `lines`), from text. The error is for users.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name == "sort" {
            return match value {
                "cum" | "flat" => {
                    self.cum = value == "cum";
                    Ok(())
                }
                _ => Err(format!("invalid \"sort\" value {value:?}")),
            };
        }
        if name == "granularity" && !GRANULARITIES.contains(&value) {
            return Err(format!("invalid \"granularity\" value {value:?}"));
        }
        if name == "cum" || name == "flat" || GRANULARITIES.contains(&name) {
            if flag(value) != Ok(true) {
                return Err(format!("unknown config field {name:?}"));
            }
            return match name {
                "cum" | "flat" => self.set("sort", name),
                _ => self.set("granularity", name),
            };
        }
        match self.place(name) {
            Some(Place::Text(place)) => *place = value.to_owned(),
            Some(Place::Flag(place)) => *place = flag(value)?,
            Some(Place::Count(place)) => {
                *place =
                    value.parse().map_err(|_| format!("{name}: want a number, got {value:?}"))?
            }
            Some(Place::Number(place)) => {
                *place =
                    value.parse().map_err(|_| format!("{name}: want a number, got {value:?}"))?
            }
            None => return Err(format!("unknown config field {name:?}")),
        }
        Ok(())
    }

    /// The value of an option as text.
    pub fn get(&self, name: &str) -> Option<String> {
        if name == "sort" {
            return Some(if self.cum { "cum" } else { "flat" }.into());
        }
        Some(match self.clone().place(name)? {
            Place::Text(place) => place.clone(),
            Place::Flag(place) => place.to_string(),
            Place::Count(place) => place.to_string(),
            Place::Number(place) => place.to_string(),
        })
    }

    /// Whether `name` is an option or a choice of one.
    pub fn is_option(name: &str) -> bool {
        OPTIONS.contains(&name) || Self::is_choice(name)
    }

    /// Whether an option needs no value.
    pub fn is_flag(name: &str) -> bool {
        Self::is_choice(name) || matches!(Config::default().place(name), Some(Place::Flag(_)))
    }

    fn is_choice(name: &str) -> bool {
        name == "cum" || name == "flat" || GRANULARITIES.contains(&name)
    }
}

/// `commands.go`, stringToBool.
fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "" => Ok(true),
        "false" | "f" | "no" | "n" | "0" => Ok(false),
        _ => Err(format!("illegal value {text:?} for bool variable")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_can_be_set_and_read() {
        assert!(OPTIONS.is_sorted());
        for name in OPTIONS {
            let mut config = Config::default();
            let value = match name {
                "sort" => "cum",
                "granularity" => "lines",
                _ if Config::is_flag(name) => "true",
                _ => "7",
            };
            config.set(name, value).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(config.get(name).as_deref(), Some(value), "{name}");
        }
        assert!(Config::default().set("sort", "sideways").is_err());
        assert!(Config::default().set("nonsense", "1").is_err());
        let mut config = Config::default();
        config.set("lines", "true").unwrap();
        assert_eq!(config.granularity, "lines");
    }
}
