//! A set of sources of which anything can be asked.

use super::database::{Storage, database};
use super::events::{EventsForm, WireEvents, write_events};
use super::files::TemporaryFile;
use super::info::Info;
use super::observer::{Observer, Ongoing, Silent, Work};
use super::opened::{Kind, Opened};
use super::profile::{ProfileOptions, trace_profiles};
use super::question::Question;
use super::timeline::write_timeline_of;
use super::{Error, Filters, Result};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::export::{EventFilter, TimelineFormat, TimelineOptions};
use crate::profile::Profile;
use crate::profile::from_trace::TraceProfileOptions;
use crate::report::Report;
use crate::source::Location;
use crate::store::{Database, Limits, QueryResult, Value};
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// How sources are opened.
pub struct Options {
    /// Where traces and profiles are loaded once something is asked that needs a database.
    pub storage: Storage,
    /// Whether a source of which a part cannot be read is an error.
    pub strict: bool,
    /// Whether only one thing is asked. What can be read only once, such as standard input and URLs, is then
    /// not copied into a temporary file first.
    pub is_for_one_question: bool,
    /// What asking the database may use, each time that something is asked.
    pub limits: Limits,
    /// Who is told of progress, damage and what else is to be known.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            storage: Storage::default(),
            strict: false,
            is_for_one_question: false,
            limits: Limits::default(),
            observer: Arc::new(Silent),
        }
    }
}

/// A set of sources of which anything can be asked.
///
/// ```no_run
#[doc = include_str!("../../examples/ask_a_trace.rs")]
/// ```
pub struct Analysis {
    sources: Vec<Member>,
    database: Option<Database>,
    storage: Storage,
    strict: bool,
    limits: Limits,
    seen: Arc<Seen>,
    observer: Arc<dyn Observer>,
}

/// One of the sources.
struct Member {
    location: Location,
    kind: Kind,
    /// Not read yet.
    opened: Option<Opened>,
    /// What it was copied to, if it can be read only once.
    copy: Option<TemporaryFile>,
}

impl Analysis {
    /// Opens sources as is usual: see [`Options`].
    ///
    /// # Errors
    /// If one of them cannot be opened, or is nothing that gotrace reads.
    pub fn open(sources: &[Location]) -> Result<Analysis> {
        Analysis::with(sources, Options::default())
    }

    /// Opens sources.
    ///
    /// # Errors
    /// If one of them cannot be opened, or is nothing that gotrace reads; if there is none.
    pub fn with(sources: &[Location], options: Options) -> Result<Analysis> {
        if sources.is_empty() {
            return Err(Error::Usage("an analysis of what? Name a source".into()));
        }
        let seen = Arc::new(Seen { inner: options.observer, diagnostics: Mutex::default() });
        let observer: Arc<dyn Observer> = seen.clone();
        let mut members = Vec::with_capacity(sources.len());
        for location in sources {
            let opened = Opened::new(location, &observer)?;
            if let Kind::Other(_) = opened.kind {
                return Err(opened.refuse());
            }
            members.push(Member::new(opened, options.is_for_one_question)?);
        }
        let (storage, strict, limits) = (options.storage, options.strict, options.limits);
        Ok(Analysis { sources: members, database: None, storage, strict, limits, seen, observer })
    }

    /// The sources and what they hold.
    pub fn sources(&self) -> impl Iterator<Item = (&Location, &Kind)> {
        self.sources.iter().map(|member| (&member.location, &member.kind))
    }

    /// What was repaired, skipped or lost in what has been read so far, but for what [`Analysis::info`] tells
    /// itself.
    pub fn diagnostics(&self) -> Vec<(Location, Diagnostic)> {
        self.seen.diagnostics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All sources as one database, which is made when it is first asked for.
    ///
    /// # Errors
    /// If a source cannot be read to its end.
    pub fn database(&mut self) -> Result<&Database> {
        if self.database.is_none() {
            let observer = &self.observer;
            let sources: Vec<Opened> = self
                .sources
                .iter_mut()
                .map(|member| member.take(observer))
                .collect::<Result<_>>()?;
            self.database = Some(database(sources, self.storage, self.strict)?);
        }
        Ok(self.database.as_ref().expect("it was just made"))
    }

    /// The database alone, for those who ask of it for long.
    ///
    /// # Errors
    /// As of [`Analysis::database`].
    pub fn into_database(mut self) -> Result<Database> {
        self.database()?;
        Ok(self.database.expect("it was just made"))
    }

    /// Asks a canned query by its name, or SQL. Returns the number of rows.
    ///
    /// # Errors
    /// As of [`Question::new`] and [`Question::ask`].
    pub fn query(
        &mut self,
        text: &str,
        parameters: &[(&str, &str)],
        result: &mut dyn QueryResult,
    ) -> Result<u64> {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let question = Question::new(text, parameters.iter().map(owned).collect())?;
        let limits = self.limits;
        question.ask(self.database()?, limits, result)
    }

    /// Leaves out of all further answers of the database what is not asked about.
    ///
    /// # Errors
    /// As of [`Filters::apply`].
    pub fn filter(&mut self, filters: &Filters) -> Result<()> {
        filters.apply(self.database()?)
    }

    /// What the programs did, and what is wrong with them; of all traces, or of the one with this row in
    /// `traces`.
    ///
    /// # Errors
    /// If there is no trace, or no such trace.
    pub fn report(&mut self, only: Option<i64>) -> Result<Report> {
        if let [Member { location, kind: Kind::Profile, .. }] = &self.sources[..] {
            return Err(Error::Failed(format!(
                "{location}: it is a profile, and reports are of traces; gotrace profile top {location} shows it, \
                 'gotrace profile {location}' opens a prompt"
            )));
        }
        let all = |name: fn(&Location) -> String| -> String {
            self.sources.iter().map(|one| name(&one.location)).collect::<Vec<_>>().join(" ")
        };
        let (names, words) = (all(Location::to_string), all(Location::word));
        let limits = self.limits;
        let database = self.database()?;
        database.start(limits)?;
        let report = Report::new(database, &words, only)?;
        if report.traces.is_empty() {
            let profiles = database.first_row("select count(*) from profiles", &[]);
            let hint = match profiles.as_deref() {
                Ok([Value::Integer(1..)]) => {
                    format!("; gotrace profile top {words} shows its profiles")
                }
                _ => String::new(),
            };
            let what = format!("{names}: there is no trace in it{hint}");
            return Err(Error::Failed(what));
        }
        Ok(report)
    }

    /// What each source is, and what is in it. What was lost of it stands there, and is no error.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn info(&mut self) -> Result<Vec<Info>> {
        let mut all = Vec::with_capacity(self.sources.len());
        for member in &mut self.sources {
            all.push(Info::read(member.take(&self.observer)?)?);
        }
        Ok(all)
    }

    /// Writes the ordered events of the only source, which is a trace.
    ///
    /// # Errors
    /// As of [`write_events`]; if there are several sources.
    pub fn events(
        &mut self,
        filter: EventFilter,
        form: EventsForm,
        out: &mut dyn Write,
    ) -> Result<()> {
        let strict = self.strict;
        write_events(self.only()?, filter, form, strict, out)
    }

    /// Writes the events of the only source, which is a trace, as they stand in the file.
    ///
    /// # Errors
    /// As of [`WireEvents::write`]; if there are several sources.
    pub fn wire_events(&mut self, events: &WireEvents, out: &mut dyn Write) -> Result<()> {
        let strict = self.strict;
        events.write(self.only()?, strict, out)
    }

    /// Measures in the only source, which is a trace: a profile for each type.
    ///
    /// # Errors
    /// As of [`trace_profiles`]; if there are several sources.
    pub fn trace_profiles(&mut self, options: &TraceProfileOptions) -> Result<Vec<Profile>> {
        let strict = self.strict;
        trace_profiles(self.only()?, options, strict)
    }

    /// One profile of all sources, merged.
    ///
    /// # Errors
    /// As of [`ProfileOptions::read`] and [`ProfileOptions::prepare`].
    pub fn profile(&mut self, options: &ProfileOptions<'_>) -> Result<Profile> {
        let mut profiles = Vec::with_capacity(self.sources.len());
        for member in &mut self.sources {
            profiles.push(options.read(member.take(&self.observer)?)?);
        }
        options.prepare(profiles, Vec::new())
    }

    /// Writes the only source, which is a trace, in the format of a viewer, and gives that back to be
    /// finished.
    ///
    /// # Errors
    /// As of [`write_timeline_of`]; if there are several sources.
    pub fn timeline<F: TimelineFormat>(
        &mut self,
        format: F,
        options: &TimelineOptions,
    ) -> Result<F> {
        let strict = self.strict;
        write_timeline_of(self.only()?, strict, format, options)
    }

    fn only(&mut self) -> Result<Opened> {
        match &mut self.sources[..] {
            [only] => only.take(&self.observer),
            several => {
                let what =
                    format!("this is asked of one trace; here are {} sources", several.len());
                Err(Error::Usage(what))
            }
        }
    }
}

impl Member {
    fn new(mut opened: Opened, is_for_one_question: bool) -> Result<Member> {
        let (location, kind) = (opened.location.clone(), opened.kind.clone());
        let is_file = location.path().is_some_and(|path| path.is_file());
        let copy = match is_file || is_for_one_question {
            true => None,
            false => {
                let copy = TemporaryFile::new("a copy of what is asked")?;
                opened.source.stream.copy_to(&mut File::create(copy.path())?)?;
                if let Some(error) = opened.source.stream.take_error() {
                    return Err(Error::Failed(format!("{location}: {error}")));
                }
                Some(copy)
            }
        };
        let opened = if copy.is_none() { Some(opened) } else { None };
        Ok(Member { location, kind, opened, copy })
    }

    /// The source, opened; again, if it was read already.
    fn take(&mut self, observer: &Arc<dyn Observer>) -> Result<Opened> {
        if let Some(opened) = self.opened.take() {
            return Ok(opened);
        }
        let place = match &self.copy {
            Some(copy) => Location::Path(copy.path().into()),
            None if self.location.path().is_some_and(|path| path.is_file()) => {
                self.location.clone()
            }
            None => {
                let what = "it was read already, and can be read only once";
                return Err(Error::Usage(format!("{}: {what}", self.location)));
            }
        };
        let mut opened = Opened::new(&place, observer)?;
        // As it was named, wherever it lies now.
        opened.location = self.location.clone();
        Ok(opened)
    }
}

/// Keeps what is told of damage, and passes everything on.
struct Seen {
    inner: Arc<dyn Observer>,
    diagnostics: Mutex<Vec<(Location, Diagnostic)>>,
}

impl Observer for Seen {
    fn begins(&self, work: Work) -> Ongoing {
        self.inner.begins(work)
    }

    fn was_read(&self, source: &Location, diagnostics: &Diagnostics) {
        let mut kept = self.diagnostics.lock().unwrap_or_else(PoisonError::into_inner);
        // A source that is read again tells the same again.
        kept.retain(|(of, _)| of != source);
        kept.extend(diagnostics.iter().map(|one| (source.clone(), one.clone())));
        drop(kept);
        self.inner.was_read(source, diagnostics);
    }

    fn remark(&self, text: &str) {
        self.inner.remark(text);
    }
}
