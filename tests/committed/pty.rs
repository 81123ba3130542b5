//! A terminal for what is tested.

use super::run::Sandbox;
use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;
use std::process::{Command, Stdio};

/// Runs a command in a sandbox, its input, output and messages a terminal of so many columns and lines; what it
/// showed, and its exit status. `prepare` may change the command.
pub fn on_terminal(
    sandbox: &Sandbox,
    words: &[&str],
    (ws_col, ws_row): (u16, u16),
    prepare: impl FnOnce(&mut Command, &dyn Fn() -> Stdio),
) -> (Vec<u8>, Option<i32>) {
    let (mut master, mut slave) = (0, 0);
    let null = std::ptr::null_mut::<libc::c_char>();
    let mut size = libc::winsize { ws_col, ws_row, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: both numbers are written to and the size is read; the null pointers ask for the defaults.
    let status = unsafe { libc::openpty(&mut master, &mut slave, null, null as _, &raw mut size) };
    assert_eq!(status, 0, "openpty");
    // SAFETY: openpty has just opened them, and nobody else has them.
    let (mut master, slave) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
    let terminal = || Stdio::from(slave.try_clone().unwrap());
    let mut command = sandbox.command(words);
    command.stdout(terminal()).stderr(terminal());
    prepare(&mut command, &terminal);
    let mut child = command.spawn().unwrap();
    // The command keeps the terminal open, too.
    drop((command, slave));
    let mut out = Vec::new();
    let mut buffer = [0; 4096];
    // The end is an error (EIO) on Linux.
    while let Ok(got @ 1..) = master.read(&mut buffer) {
        out.extend_from_slice(&buffer[..got]);
    }
    (out, child.wait().unwrap().code())
}
