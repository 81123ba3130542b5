//! `gotrace sql`: SQL and canned queries, one after the other.
//!
//! On a terminal it edits lines, with history and completion, and Ctrl-C stops a query but not the
//! shell. Without one it runs what stands on standard input and says by its exit status whether all
//! of it succeeded.

mod commands;
mod complete;
mod statement;

use super::limits::LimitOptions;
use super::locate::SourceOptions;
use super::output::{Format, Output};
use super::{Error, Result, analyse, say, signals};
use crate::analysis::PendingFile;
use crate::cli::terminal;
use crate::store::{
    Batch, ColumnInfo, Database, INTERRUPTED, Limits, QueryResult, StoreError, Value, find_query,
    human_ns, is_query_name,
};
use clap::Args;
use commands::Next;
use complete::Words;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

#[derive(Args)]
pub struct SqlArguments {
    /// Database or trace to ask
    source: OsString,
    /// Output format; table on a terminal, else csv
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    /// Longest time a query may take, 0 for no limit; on a terminal Ctrl-C stops it
    #[arg(long, value_name = "DURATION", default_value = "0")]
    timeout: String,
    /// Most rows a query may give, 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_rows: u64,
    #[command(flatten)]
    limits: LimitOptions,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    /// Fail if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

/// A shell over a database.
pub struct Shell {
    database: Database,
    /// How the user named what it is over.
    source: String,
    format: Option<Format>,
    has_timing: bool,
    limits: Limits,
    /// Where results go instead of to standard output.
    output: Option<(PendingFile, File)>,
}

pub fn run(arguments: &SqlArguments) -> Result<()> {
    let limits = arguments.limits.limits(&arguments.timeout, arguments.max_rows)?;
    if arguments.source == "-" {
        return Err(Error::Usage(
            "standard input is for statements here; ingest the trace first".into(),
        ));
    }
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    let source = location.to_string();
    let database = analyse(location, arguments.strict)?.into_database()?;
    let is_interactive = io::stdin().is_terminal();
    let mut shell = Shell {
        database,
        source,
        format: arguments.format,
        has_timing: is_interactive,
        limits,
        output: None,
    };
    let done = if is_interactive { shell.converse() } else { shell.read_input() };
    shell.close_output()?;
    done
}

impl Shell {
    /// Runs what stands on standard input. All of it is run; the first error is told at the end by the
    /// exit status.
    fn read_input(&mut self) -> Result<()> {
        let mut failed = 0;
        let mut text = String::new();
        for line in io::stdin().lock().lines() {
            if !self.take(&mut text, &line?, &mut failed)? {
                break;
            }
        }
        if !statement::is_blank(&text) {
            let rest = std::mem::take(&mut text);
            self.try_run(&mut failed, |shell| shell.run_statement(rest.trim()))?;
        }
        match failed {
            0 => Ok(()),
            1 => Err(Error::Failed("a statement failed".into())),
            count => Err(Error::Failed(format!("{count} statements failed"))),
        }
    }

    /// Reads from a terminal until the user leaves.
    fn converse(&mut self) -> Result<()> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(10_000)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(|error| Error::Failed(error.to_string()))?
            .build();
        let mut editor: Editor<Words, FileHistory> =
            Editor::with_config(config).map_err(|error| Error::Failed(error.to_string()))?;
        // From here on Ctrl-C stops the statement that runs. While a line is edited the terminal does
        // not make a signal of it. Not before the editor is there: it takes the signal over then
        // (rustyline 17, tty/unix.rs, Sig), and would have it to itself.
        signals::interrupt_queries();
        editor.set_helper(Some(Words::new(self.functions())));
        let history = history_path();
        if let Some(path) = &history {
            // The first time there is none.
            let _ = editor.load_history(path);
        }
        say(&format!(
            "{}: .help for help, .queries for canned queries, Ctrl-D to leave",
            self.source
        ));
        let mut text = String::new();
        loop {
            let prompt = if text.is_empty() { "gotrace> " } else { "    ...> " };
            match editor.readline(prompt) {
                Ok(line) => {
                    let before = text.clone();
                    let is_over = !self.take(&mut text, &line, &mut 0)?;
                    if text.is_empty() {
                        // A statement of several lines is brought back as a whole.
                        let _ = editor.add_history_entry(format!("{before}{line}").trim());
                        save_history(&mut editor, history.as_deref());
                    }
                    if is_over {
                        break;
                    }
                }
                Err(ReadlineError::Interrupted) => text.clear(),
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(Error::Failed(error.to_string())),
            }
        }
        Ok(())
    }

    /// Takes a line: runs it if it is a command, or the statements that it completes; `text` is what was
    /// not complete. False if the shell shall end.
    fn take(&mut self, text: &mut String, line: &str, failed: &mut u64) -> Result<bool> {
        let word = line.trim();
        if statement::is_blank(text) {
            let is_word = matches!(word.trim_end_matches(';'), "quit" | "exit" | "help");
            if word.starts_with('.') || is_word {
                text.clear();
                let command = if is_word { format!(".{word}") } else { word.to_owned() };
                let next = self.try_run(failed, |shell| commands::run(shell, &command))?;
                return Ok(next != Some(Next::Quit));
            }
        }
        text.push_str(line);
        text.push('\n');
        let whole = std::mem::take(text);
        let (statements, rest) = statement::split(&whole);
        for statement in statements {
            self.try_run(failed, |shell| shell.run_statement(statement))?;
        }
        let rest = &whole[rest..];
        if !rest.trim().is_empty() {
            text.push_str(rest);
        }
        Ok(true)
    }

    /// Does something and tells what went wrong; goes on after all but a broken pipe.
    fn try_run<T>(
        &mut self,
        failed: &mut u64,
        run: impl FnOnce(&mut Shell) -> Result<T>,
    ) -> Result<Option<T>> {
        match run(self) {
            Ok(done) => Ok(Some(done)),
            Err(Error::BrokenPipe) => Err(Error::BrokenPipe),
            Err(error) => {
                say(&format!("gotrace: {error}"));
                *failed += 1;
                Ok(None)
            }
        }
    }

    fn run_statement(&mut self, sql: &str) -> Result<()> {
        if is_query_name(sql) {
            let query = find_query(sql)?;
            return Err(Error::Usage(format!("'{sql}' is a canned query: .run {}", query.name)));
        }
        self.ask(|database, limits, output| database.query(sql, &[], limits, output))
    }

    /// Asks something and writes the result.
    fn ask(
        &mut self,
        ask: impl FnOnce(
            &Database,
            Limits,
            &mut dyn QueryResult,
        ) -> std::result::Result<u64, StoreError>,
    ) -> Result<()> {
        INTERRUPTED.store(false, Ordering::Relaxed);
        let started = Instant::now();
        let is_terminal = self.output.is_none() && io::stdout().is_terminal();
        let mut output = Output::to(self.writer()?, is_terminal, self.format);
        output.fit = Some(".mode vertical");
        output.is_paged = is_terminal;
        let done = ask(&self.database, self.limits, &mut output);
        let elapsed = started.elapsed();
        // What came before an error is still an answer.
        if done.is_ok() || output.has_rows() {
            output.finish()?;
        }
        let rows = done?;
        if self.has_timing {
            let noun = if rows == 1 { "row" } else { "rows" };
            say(&format!("{rows} {noun} in {}", human_ns(elapsed.as_nanos() as i64)));
        }
        Ok(())
    }

    /// Where results go.
    fn writer(&self) -> Result<Box<dyn Write + 'static>> {
        Ok(match &self.output {
            Some((_, file)) => Box::new(file.try_clone()?),
            None => Box::new(terminal::output()),
        })
    }

    fn open_output(&mut self, file: PendingFile) -> Result<()> {
        let handle = File::create(file.path())?;
        self.output = Some((file, handle));
        Ok(())
    }

    /// Gives the file with the results its name.
    fn close_output(&mut self) -> Result<()> {
        let Some((file, handle)) = self.output.take() else { return Ok(()) };
        drop(handle);
        file.keep()
    }

    /// The functions that can be called, for completion; none if they cannot be listed.
    fn functions(&self) -> Vec<String> {
        struct Names(Vec<String>);
        impl QueryResult for Names {
            fn columns(&mut self, _: &[ColumnInfo]) -> io::Result<()> {
                Ok(())
            }
            fn batch(&mut self, batch: &Batch) -> io::Result<()> {
                self.0.extend(batch.all().flatten().filter_map(|value| match value {
                    Value::Text(name) => Some(name),
                    _ => None,
                }));
                Ok(())
            }
        }
        let mut names = Names(Vec::new());
        let sql = "select distinct name from pragma_function_list where name glob '[a-z]*'";
        match self.database.query(sql, &[], self.limits, &mut names) {
            Ok(_) => names.0,
            Err(_) => Vec::new(),
        }
    }
}

/// Where the history is kept: in the user's folder for the state of programs.
fn history_path() -> Option<PathBuf> {
    let folder =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = if cfg!(windows) {
        folder("LOCALAPPDATA")?
    } else if let Some(state) = folder("XDG_STATE_HOME").filter(|path| path.is_absolute()) {
        state
    } else if cfg!(target_os = "macos") {
        folder("HOME")?.join("Library/Application Support")
    } else {
        folder("HOME")?.join(".local/state")
    };
    Some(state.join("gotrace").join("sql_history"))
}

/// Keeps the history after each statement, so that a second shell and a crash lose nothing. Not being
/// able to is no reason to say anything.
fn save_history(editor: &mut Editor<Words, FileHistory>, path: Option<&std::path::Path>) {
    let Some(path) = path else { return };
    if let Some(folder) = path.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let _ = editor.append_history(path);
}
