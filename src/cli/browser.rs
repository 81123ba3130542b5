//! The user's browser.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

/// Asks $BROWSER, or else the system, to show a page. Whether that could be asked.
pub fn open_browser(link: impl AsRef<OsStr>) -> bool {
    let chosen = std::env::var_os("BROWSER").filter(|name| !name.is_empty());
    // A list is tried from the left; what has arguments is for a shell, which nothing is given to here.
    let names = chosen.iter().flat_map(std::env::split_paths).map(OsString::from);
    names.map(Command::new).chain([of_system()]).any(|mut command| {
        let quiet = command.arg(&link).stdin(Stdio::null()).stdout(Stdio::null());
        quiet.stderr(Stdio::null()).spawn().is_ok()
    })
}

fn of_system() -> Command {
    if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    }
}
