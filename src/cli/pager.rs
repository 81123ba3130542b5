//! Long results on a terminal, through a pager as git has it.

use super::signals;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

/// Shows lines through the user's pager if they are more than the terminal has; `false` if that was not done,
/// or there is no such pager.
pub fn show(lines: &[String]) -> bool {
    let size = terminal_size::terminal_size();
    if size.is_none_or(|(_, height)| lines.len() < usize::from(height.0)) {
        return false;
    }
    // Without a keyboard nobody could leave it.
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return false;
    }
    let Some(mut pager) = start() else { return false };
    // The pager ends when the user wants; Ctrl-C is for it.
    let _paging = signals::leave_interrupts();
    if let Some(mut input) = pager.stdin.take() {
        // Whoever leaves it early has seen enough.
        let _ = lines.iter().try_for_each(|line| writeln!(input, "{line}"));
    }
    // 126 and 127 are the shell's word for what cannot be run, or is not there.
    pager.wait().is_ok_and(|status| !matches!(status.code(), Some(126 | 127)))
}

/// Starts what `PAGER` names, else less; `None` if there is none, or none is wanted.
fn start() -> Option<Child> {
    let named = std::env::var("PAGER").ok();
    let words = named.as_deref().map(str::trim);
    let mut command = match words {
        Some("" | "cat") => return None,
        // It may be a program with options, as for other programs.
        Some(words) if cfg!(unix) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", words]);
            shell
        }
        Some(words) => Command::new(words),
        None if cfg!(unix) => Command::new("less"),
        None => return None,
    };
    if std::env::var_os("LESS").is_none() {
        // Ends by itself if all fits; leaves what it showed; cuts no long line.
        command.env("LESS", "FRX");
    }
    command.stdin(Stdio::piped()).spawn().ok()
}
