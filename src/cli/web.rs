//! `gotrace web`: pages in the browser.

use super::browser::open_browser;
use super::locate::SourceOptions;
use super::{Error, Result, observer, say};
use crate::analysis::{PendingFile, TemporaryFile};
use crate::source::Location;
use crate::web::{Load, Server, ServerOptions, Session};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// Threads that answer.
const WORKERS: usize = 4;

#[derive(Args)]
pub struct WebArguments {
    /// Traces, profiles, goroutine dumps or a database to show; without any, files can be dropped on the page
    sources: Vec<OsString>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    http: String,
    /// Print the address only
    #[arg(long)]
    no_browser: bool,
    /// Allow an address that other machines reach
    #[arg(long)]
    allow_remote: bool,
    /// Keep the database in FILE
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    /// Fail to load a trace of which a part cannot be read
    #[arg(long)]
    strict: bool,
    /// Folders in which the pages may read the sources of programs, as in PATH
    #[arg(long, value_name = "PATH", default_value = "")]
    source_path: String,
    #[command(flatten)]
    options: SourceOptions,
}

pub fn run(arguments: &WebArguments) -> Result<()> {
    let address = address(&arguments.http)?;
    if !address.ip().is_loopback() && !arguments.allow_remote {
        return Err(Error::Usage(format!(
            "--http {}: other machines reach this address; --allow-remote allows that (whoever has the printed \
             address can read what is shown)",
            arguments.http
        )));
    }
    let target = match &arguments.output {
        // In the way or not is told before anything is loaded.
        Some(path) => {
            drop(PendingFile::new(path, arguments.force)?);
            Some((path.clone(), arguments.force))
        }
        None => None,
    };
    let sources = arguments.options.locate_all(&arguments.sources, arguments.force)?;
    if let Some(missing) = sources.iter().find_map(|one| one.path().filter(|it| !it.exists())) {
        return Err(Error::Failed(format!("{}: no such file", missing.display())));
    }
    let options = ServerOptions { address, workers: WORKERS };
    let server = Server::listen(&options)
        .map_err(|error| Error::Failed(format!("--http {}: {error}", arguments.http)))?;
    let session = Session::new(arguments.strict, arguments.source_path.clone(), observer());
    if !sources.is_empty() {
        let named = |location: Location| (location.clone(), location);
        let sources = sources.into_iter().map(named).collect();
        session.load(Load { sources, target }, |error| say(&format!("gotrace: {error}")))?;
    }
    let link = server.link("/");
    let door = match arguments.no_browser {
        true => None,
        false => Some(show(&link)?),
    };
    say(&format!("gotrace: {link}\ngotrace: Ctrl-C ends it"));
    let done = server.serve(session);
    drop(door);
    Ok(done?)
}

/// The address to listen on.
fn address(text: &str) -> Result<SocketAddr> {
    let text = if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() };
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| {
        Error::Usage(format!("--http: want HOST:PORT such as 127.0.0.1:0, got '{text}'"))
    })
}

/// Opens the browser. The address has a secret, and other users see the arguments of programs: so the browser
/// is given a file that only this user can read, and that sends it on.
fn show(link: &str) -> Result<TemporaryFile> {
    let file = TemporaryFile::new("the page that opens the browser")?;
    let page = file.path().with_file_name("data.html");
    fs::write(
        &page,
        format!(
            "<!DOCTYPE html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={link}\">\
             <title>gotrace</title><a href=\"{link}\">gotrace</a>"
        ),
    )?;
    if !open_browser(&page) {
        say("gotrace: no browser could be started; open the address in one");
    }
    Ok(file)
}
