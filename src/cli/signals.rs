//! Signals. What ends the program removes its temporary files first, and gives the exit status that a shell
//! gives: 128 and the number of the signal.

use crate::analysis::remove_all;
use crate::store::INTERRUPTED;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

/// Number of the signal that Ctrl-C sends.
const INTERRUPT: i32 = 2;

/// Whether Ctrl-C stops a query rather than the program.
static STOPS_QUERIES: AtomicBool = AtomicBool::new(false);

/// Listens to the signals that end programs, and ignores the one for a file that is larger than allowed: then
/// writing fails, which is told.
pub fn listen() {
    system::listen();
}

/// From now on Ctrl-C stops the query that runs; a second one, before the first took effect, ends the program.
pub fn interrupt_queries() {
    STOPS_QUERIES.store(true, Ordering::Relaxed);
    // The line editor takes the signal over when it is made.
    system::listen();
}

/// Whether another program has the terminal, which Ctrl-C is for.
static IS_ELSEWHERE: AtomicBool = AtomicBool::new(false);

/// Until the value is dropped Ctrl-C does nothing here: another program has the terminal.
pub fn leave_interrupts() -> impl Drop {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            IS_ELSEWHERE.store(false, Ordering::Relaxed);
        }
    }
    IS_ELSEWHERE.store(true, Ordering::Relaxed);
    Back
}

fn receive(signal: i32) {
    if signal == INTERRUPT && IS_ELSEWHERE.load(Ordering::Relaxed) {
        return;
    }
    if signal == INTERRUPT
        && STOPS_QUERIES.load(Ordering::Relaxed)
        && !INTERRUPTED.swap(true, Ordering::Relaxed)
    {
        return;
    }
    remove_all();
    // Whatever stands in the last line, a progress bar and ^C, ends here.
    if signal == INTERRUPT && std::io::stderr().is_terminal() {
        eprintln!();
    }
    std::process::exit(128 + signal);
}

#[cfg(unix)]
mod system {
    use std::io::Read;
    use std::os::fd::IntoRawFd;
    use std::sync::Once;
    use std::sync::atomic::{AtomicI32, Ordering};

    const SIGNALS: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

    /// Where the handler writes the signal; next to nothing else may be done in one.
    static PIPE: AtomicI32 = AtomicI32::new(-1);

    extern "C" fn tell(signal: libc::c_int) {
        let byte = signal as u8;
        // SAFETY: one byte of a variable, into a pipe that stays open; write may be called in a handler.
        unsafe { libc::write(PIPE.load(Ordering::Relaxed), (&raw const byte).cast(), 1) };
    }

    /// May be called again, after something else took a signal over.
    pub fn listen() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let Ok((mut told, tell)) = std::io::pipe() else { return };
            let mut signal = [0];
            let receive = move || {
                while told.read_exact(&mut signal).is_ok() {
                    super::receive(signal[0].into());
                }
            };
            if std::thread::Builder::new().name("signals".into()).spawn(receive).is_ok() {
                PIPE.store(tell.into_raw_fd(), Ordering::Relaxed);
            }
        });
        if PIPE.load(Ordering::Relaxed) < 0 {
            return;
        }
        SIGNALS.into_iter().for_each(handle);
        // SAFETY: to ignore a signal is always allowed.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    }

    fn handle(signal: libc::c_int) {
        // SAFETY: both are plain data for which zeros are valid, and the handler does only what is allowed in
        // one.
        unsafe {
            let mut old: libc::sigaction = std::mem::zeroed();
            // As nohup wants it, and a shell for what runs in the background.
            if libc::sigaction(signal, std::ptr::null(), &mut old) == 0
                && old.sa_sigaction == libc::SIG_IGN
            {
                return;
            }
            let mut new: libc::sigaction = std::mem::zeroed();
            new.sa_sigaction = tell as extern "C" fn(libc::c_int) as libc::sighandler_t;
            new.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &new, std::ptr::null_mut());
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub fn listen() {
        // The second time it is there already.
        let _ = ctrlc::set_handler(|| super::receive(super::INTERRUPT));
    }
}
