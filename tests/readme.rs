//! What `README.md` and the tutorial show is what happens: every command in their `console` blocks is run,
//! and must print what stands there. `UPDATE_GOLDEN=1 cargo test` writes the output again.

mod committed;

use committed::golden;
use committed::run::{Sandbox, finish};
use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

/// A folder in which README's commands can run: with a `gotrace`, a `cargo` that runs it, and copies
/// of the files they name.
struct Shell {
    sandbox: Sandbox,
}

impl Shell {
    fn new(commands: &[String]) -> Shell {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path(".bin")).unwrap();
        let gotrace = env!("CARGO_BIN_EXE_gotrace");
        script(&sandbox, "gotrace", &format!("exec '{gotrace}' \"$@\""));
        script(
            &sandbox,
            "cargo",
            &format!(
                "while [ \"$1\" != -- ]; do [ $# -gt 0 ] || exit 3; shift; done; shift; exec '{gotrace}' \"$@\""
            ),
        );
        let is_end = |c: char| c.is_whitespace() || "\"'|;&<>()".contains(c);
        for word in commands.iter().flat_map(|command| command.split(is_end)) {
            let source = committed::root().join(word);
            if word.starts_with("testdata/") && source.is_file() {
                let copy = sandbox.path(word);
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::copy(source, copy).unwrap();
            }
        }
        Shell { sandbox }
    }

    /// What a command prints on standard output. It must succeed.
    fn output(&self, command: &str) -> String {
        let path =
            format!("{}:{}", self.sandbox.path(".bin").display(), std::env::var("PATH").unwrap());
        let child = Command::new("sh")
            .args(["-c", command])
            .current_dir(self.sandbox.folder())
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let run = finish(child, Vec::new());
        assert_eq!(run.status, 0, "$ {command}\n{}{}", run.text(), run.stderr);
        run.text().to_owned()
    }
}

fn script(sandbox: &Sandbox, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = sandbox.write(&format!(".bin/{name}"), format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A piece of the file.
enum Piece {
    /// A line that stays as it is.
    Line(String),
    /// A command with the output that stands behind it, lines and all.
    Command { prompt: String, command: String, output: String },
}

/// Takes a Markdown text apart at the commands of its console blocks.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut lines = text.lines().peekable();
    let mut is_console = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            is_console = !is_console && line == "```console";
        } else if is_console {
            let command = line.strip_prefix("$ ");
            let mut command = command
                .unwrap_or_else(|| panic!("a console block begins with a command: {line}"))
                .to_owned();
            let mut prompt = format!("{line}\n");
            while let Some(more) =
                lines.next_if(|line| command.ends_with('\\') && line.starts_with("> "))
            {
                prompt += &format!("{more}\n");
                command = format!("{}\n{}", command, &more[2..]);
            }
            let mut output = String::new();
            while let Some(line) =
                lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```"))
            {
                output += &format!("{line}\n");
            }
            pieces.push(Piece::Command { prompt, command, output });
            continue;
        }
        pieces.push(Piece::Line(format!("{line}\n")));
    }
    pieces
}

#[test]
fn the_readme_shows_what_happens() {
    check("README.md");
}

#[test]
fn the_tutorial_shows_what_happens() {
    check("docs/tutorial.md");
}

/// The command that a newcomer runs first must not bring forth what the next one, `cargo test`, or git would
/// stumble over.
#[test]
fn the_first_command_of_the_readme_leaves_the_source_tree_as_it_was() {
    let blocks = Command::new(committed::root().join(".ci/readme")).arg("1").output().unwrap();
    let command = String::from_utf8(blocks.stdout).unwrap();
    assert!(command.contains("testdata/traces/"), "{command}");
    let shell = Shell::new(std::slice::from_ref(&command));
    shell.output(&command);
    let written = shell.sandbox.files();
    assert_eq!(written, [".bin", "mixed.db", "testdata"]);
    let ignored = fs::read_to_string(committed::root().join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "*.db"), "{ignored}");
    let folder = fs::read_dir(shell.sandbox.path("testdata/traces/go1.27")).unwrap();
    assert_eq!(folder.count(), 1);
}

fn check(document: &str) {
    let path = committed::root().join(document);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
    let pieces = pieces(&text);
    let commands: Vec<String> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Command { command, .. } => Some(command.clone()),
            Piece::Line(_) => None,
        })
        .collect();
    assert!(!commands.is_empty(), "{document} has no console block");
    let blocks = text.lines().filter(|line| line.starts_with("```console")).count();
    assert!(commands.len() >= blocks, "a console block has no command");
    let shell = Shell::new(&commands);
    let mut current = String::new();
    let mut problems = String::new();
    for piece in &pieces {
        match piece {
            Piece::Line(line) => current += line,
            Piece::Command { prompt, command, output } => {
                let got = shell.output(command);
                if let Some(difference) = golden::first_difference(&got, output) {
                    writeln!(problems, "$ {command}\n{difference}").unwrap();
                }
                current += &format!("{prompt}{got}");
            }
        }
    }
    if golden::is_update() {
        fs::write(path, current).unwrap();
    } else {
        assert!(problems.is_empty(), "{problems}UPDATE_GOLDEN=1 cargo test writes it again");
        assert_eq!(current, text, "{document} was not taken apart well");
    }
}

#[test]
fn commands_and_their_outputs_are_found() {
    let text = "x\n```sh\n$ no\n```\n```console\n$ one \\\n> more\na\n\nb\n$ two\n```\n$ no\n```console\n$ three\nc\n```\n";
    let found: Vec<(String, String)> = pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Command { command, output, .. } => Some((command, output)),
            Piece::Line(_) => None,
        })
        .collect();
    let pair = |command: &str, output: &str| (command.to_owned(), output.to_owned());
    assert_eq!(found, [pair("one \\\nmore", "a\n\nb\n"), pair("two", ""), pair("three", "c\n")]);
}
