//! Running the real `gotrace` in a folder of its own.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longest a command may take before it counts as hanging. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a command did.
pub struct Run {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("the output is UTF-8")
    }

    /// Fails the test unless the command ended with this status.
    #[track_caller]
    pub fn expect(self, status: i32) -> Run {
        let shown =
            String::from_utf8_lossy(&self.stdout[..self.stdout.len().min(500)]).into_owned();
        assert_eq!(self.status, status, "stderr: {}stdout: {shown}", self.stderr);
        self
    }

    /// Fails the test unless a message contains all of these words.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Run {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in: {}", self.stderr);
        }
        self
    }
}

/// A folder to work in, with another one for temporary files.
pub struct Sandbox {
    root: tempfile::TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    pub fn new() -> Sandbox {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("work")).unwrap();
        fs::create_dir(root.path().join("tmp")).unwrap();
        Sandbox { root }
    }

    /// The folder in which commands run.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A copy of a committed trace under another name.
    pub fn copy(&self, trace: &str, name: &str) -> PathBuf {
        self.write(name, super::Trace::new(trace).bytes())
    }

    /// Names of the files in the folder, hidden ones too.
    pub fn files(&self) -> Vec<String> {
        names(&self.folder())
    }

    /// Names of temporary files that were left behind.
    pub fn left_behind(&self) -> Vec<String> {
        names(&self.root.path().join("tmp"))
    }

    /// `gotrace` with arguments, ready to start.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        // The package in `fuzz/`, which shares this module, has no such program and never runs it.
        let program = option_env!("CARGO_BIN_EXE_gotrace").unwrap_or("gotrace");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("TMPDIR", self.root.path().join("tmp"))
            .env("RUST_BACKTRACE", "0")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `gotrace`.
    #[track_caller]
    pub fn gotrace(&self, arguments: &[&str]) -> Run {
        finish(self.command(arguments).spawn().unwrap(), Vec::new())
    }

    /// Runs `gotrace` with something on standard input.
    #[track_caller]
    pub fn gotrace_with(&self, arguments: &[&str], stdin: Vec<u8>) -> Run {
        finish(self.command(arguments).stdin(Stdio::piped()).spawn().unwrap(), stdin)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Has a command listen to signals also where the tests run with some of them ignored, as under nohup: what is
/// ignored stays so in the programs that are started.
#[cfg(unix)]
pub fn listening(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    let reset = || {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
            // SAFETY: to have the default for a signal is always allowed.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: signal is one of the functions that may be called between fork and exec.
    unsafe { command.pre_exec(reset) }
}

/// Waits for a command. One that hangs or panics fails the test.
#[track_caller]
pub fn finish(mut child: Child, stdin: Vec<u8>) -> Run {
    let input = child.stdin.take();
    let feeder = thread::spawn(move || {
        if let Some(mut input) = input {
            // A command that does not read to the end is free to do so.
            let _ = input.write_all(&stdin);
        }
    });
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let started = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                child.kill().unwrap();
                panic!("the command hangs");
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    feeder.join().unwrap();
    let stderr = String::from_utf8_lossy(&stderr.join().unwrap()).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    let status = status.code().unwrap_or_else(|| panic!("killed by a signal: {stderr}"));
    Run { status, stdout: stdout.join().unwrap(), stderr }
}

fn read_all(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}
