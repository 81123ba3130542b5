//! Which profile is meant, and with which options, out of an address.

use crate::analysis::{ProfileOptions, Silent, moment};
use crate::model::{NamePattern, Selection};
use crate::profile::from_trace::{TaskPattern, TraceProfileOptions, TraceProfileType};
use crate::profile::{Config, Preparation, Profile};
use crate::store::{Limits, Value};
use crate::web::asker::Asker;
use crate::web::message::{Request, Result, bad};
use crate::web::session::LIMITS;
use std::sync::Arc;
use std::time::Duration;

/// The options that stand in addresses of pprof's page, by their names there (Go 1.27 pprof
/// `internal/driver/config.go`, init).
const PARAMETERS: [(&str, &str); 26] = [
    ("calltree", "call_tree"),
    ("compact", "compact_labels"),
    ("dropneg", "drop_negative"),
    ("ef", "edgefraction"),
    ("f", "focus"),
    ("g", "granularity"),
    ("h", "hide"),
    ("i", "ignore"),
    ("mean", "mean"),
    ("n", "nodecount"),
    ("nf", "nodefraction"),
    ("noinlines", "noinlines"),
    ("norm", "normalize"),
    ("prunefrom", "prune_from"),
    ("rel", "relative_percentages"),
    ("s", "show"),
    ("sf", "show_from"),
    ("showcolumns", "showcolumns"),
    ("si", "sample_index"),
    ("sort", "sort"),
    ("tf", "tagfocus"),
    ("th", "taghide"),
    ("ti", "tagignore"),
    ("trim", "trim"),
    ("ts", "tagshow"),
    ("unit", "unit"),
];

/// Longest time it may take to read a profile out of the database.
const TIME: Duration = Duration::from_secs(30);

/// pprof's options.
pub fn config(request: &Request, source_path: &str) -> Result<Config> {
    let mut config = Config { source_path: source_path.into(), ..Config::default() };
    for (parameter, option) in PARAMETERS {
        if let Some(value) = request.get(parameter) {
            config.set(option, value).map_err(|error| bad(format!("{parameter}: {error}")))?;
        }
    }
    Ok(config)
}

/// The profile: `profile=ROW`, or `type=WHAT` measured in `trace=ROW`, less `base=ROW` of the same.
pub fn profile(request: &Request, asker: &mut Asker, config: &Config) -> Result<Arc<Profile>> {
    let measure = measure(request)?;
    let session = asker.session.clone();
    let (snapshot, database) = asker.database()?;
    // Of several one is the first.
    let row = |name: &str, table: &str| -> Result<Option<i64>> {
        if let Some(row) = request.number(name)? {
            return Ok(Some(row));
        }
        let found = database.first_row(&format!("select min(id) from {table}"), &[])?;
        Ok(match found[..] {
            [Value::Integer(row)] => Some(row),
            _ => None,
        })
    };
    let (profile, trace) = match measure {
        Some(_) => (None, row("trace", "traces")?),
        None => (row("profile", "profiles")?, None),
    };
    let base = request.number("base")?;
    if config.normalize && base.is_none() {
        return Err(bad("norm: there must be a base to normalize by"));
    }
    let preparation = Preparation {
        is_diff: base.is_some(),
        normalize: config.normalize,
        ..Preparation::default()
    };
    let key = format!("{measure:?} {profile:?} {trace:?} {base:?} {}", config.normalize);
    let options =
        ProfileOptions { preparation, measure, profile, trace, ..ProfileOptions::default() };
    session.profiles.get((snapshot.number, key), || {
        database.start(Limits { time: Some(TIME), rows: None, ..LIMITS })?;
        let observer = Arc::new(Silent) as _;
        Ok(snapshot.profile(database, &options, base, &observer)?)
    })
}

/// What to measure in a trace; `None` if nothing is.
fn measure(request: &Request) -> Result<Option<TraceProfileOptions>> {
    let Some(name) = request.get("type") else { return Ok(None) };
    let kind = TraceProfileType::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = TraceProfileType::ALL.iter().map(|one| one.as_str()).collect();
        bad(format!("type: there is no '{name}'; there are {}", known.join(", ")))
    })?;
    let goroutines = request.get("goroutine").unwrap_or("").split(',').filter(|it| !it.is_empty());
    let number = |text: &str| text.trim().parse().map_err(|_| bad("goroutine: want numbers"));
    let selection = Selection {
        from: moment("from", request.get("from"))?,
        to: moment("to", request.get("to"))?,
        goroutines: goroutines.map(number).collect::<Result<_>>()?,
        functions: request.get("function").map(NamePattern::new).into_iter().collect(),
    };
    Ok(Some(TraceProfileOptions {
        types: vec![kind],
        selection,
        region: request.get("region").map(NamePattern::new),
        task: request.get("task").map(|task| match task.parse() {
            Ok(number) => TaskPattern::Number(number),
            Err(_) => TaskPattern::Name(NamePattern::new(task)),
        }),
        ..TraceProfileOptions::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::OPTIONS;
    use crate::web::message::parameters;

    fn asked(query: &str) -> Request {
        Request { parameters: parameters(query), ..Request::default() }
    }

    #[test]
    fn addresses_of_pprof_mean_what_they_mean_there() {
        let config = |query: &str| config(&asked(query), "");
        let got = config("f=main&i=%5Eruntime&n=20&calltree=t&g=lines&sort=cum&si=1&p=x").unwrap();
        let want = Config {
            focus: "main".into(),
            ignore: "^runtime".into(),
            nodecount: 20,
            call_tree: true,
            granularity: "lines".into(),
            cum: true,
            sample_index: "1".into(),
            ..Config::default()
        };
        assert_eq!(got, want);
        assert!(config("n=x").is_err() && config("g=sideways").is_err());
        for (_, option) in PARAMETERS {
            assert!(OPTIONS.contains(&option), "{option}");
        }
        // Which files are read is nothing that an address says.
        assert_eq!(config("source_path=/etc&trim_path=/").unwrap(), Config::default());
    }

    #[test]
    fn what_is_measured_stands_in_the_address() {
        assert!(measure(&asked("profile=1")).unwrap().is_none());
        let got = measure(&asked("type=sync&from=5&function=main.*&task=7&goroutine=1,2")).unwrap();
        let got = got.unwrap();
        assert_eq!(got.types, [TraceProfileType::Sync]);
        assert_eq!(got.selection.goroutines, [1, 2]);
        assert!(got.selection.from.is_some() && got.selection.functions[0].matches("main.f"));
        assert!(matches!(got.task, Some(TaskPattern::Number(7))));
        for query in ["type=nonsense", "type=sync&from=x", "type=sync&goroutine=a"] {
            assert!(measure(&asked(query)).is_err(), "{query}");
        }
    }
}
