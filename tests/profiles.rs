//! Profiles: what `go tool pprof` prints for the committed ones, byte for byte; what damage does.

use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn profile(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gotrace"))
        .arg("profile")
        .args(words)
        .current_dir(root())
        // Sources are found where the command line says, not where this machine has Go.
        .env_remove("GOROOT")
        .env("HOME", "/nonexistent")
        .output()
        .expect("gotrace runs")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Compares a share of the recorded command lines, so that the shares run side by side.
fn compare(share: usize) {
    let text = fs::read_to_string(root().join("testdata/expected/profiles.tsv")).unwrap();
    let cases: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(cases.len() > 500, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases.iter().skip(share).step_by(SHARES) {
        let mut fields = case.split('\t');
        let (size, want) = (fields.next().unwrap(), fields.next().unwrap());
        let words: Vec<&str> = fields.collect();
        let output = profile(&words);
        let got = match output.status.success() {
            true => format!("{} {}", output.stdout.len(), digest(&output.stdout)),
            false => "fails".into(),
        };
        let want = if want == "fails" { want.into() } else { format!("{size} {want}") };
        if got != want {
            wrong.push(format!("{}: want {want}, got {got}", words.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{} differ from go tool pprof: {wrong:#?}", wrong.len());
}

const SHARES: usize = 2;

#[test]
fn views_are_those_of_go_tool_pprof_1() {
    compare(0);
}

#[test]
fn views_are_those_of_go_tool_pprof_2() {
    compare(1);
}
