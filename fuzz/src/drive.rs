//! The loop: pick an input, mutate it, run it, keep it if it showed something new.

use super::committed::damage::Random;
use super::committed::profiles;
use super::committed::{heap, traces};
use super::mutate::{Corpus, mutate};
use super::targets::{Feature, Target};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest an input may take. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest input.
const MAX_LEN: usize = 200_000;
/// Most inputs that are kept.
const MAX_CORPUS: usize = 4000;
/// Most memory an input may cost: what the target says, and for each of its bytes so much more. An event of two
/// bytes becomes a row or two, and a hostile frame is held as numbers of 8 bytes each.
const HEAP_PER_BYTE: usize = 256;

/// The input under way, for the thread that watches.
struct Underway {
    input: Vec<u8>,
    since: Option<Instant>,
}

/// Runs a target for some time. An error is a failure that was found.
pub fn run(target: Target, time: Duration, seed: u64, out: &Path) -> Result<(), String> {
    let mut corpus = Corpus::default();
    for trace in traces() {
        let bytes = trace.bytes();
        // Large ones are slow, and say nothing that small ones do not.
        if bytes.len() < 45_000 && target.takes(&bytes) {
            corpus.inputs.push(target.seed(&bytes));
        }
    }
    if target == Target::Profile {
        corpus.inputs.extend(profiles::paths().iter().map(profiles::unpacked));
        corpus.inputs.extend(profiles::old_paths().iter().map(profiles::unpacked));
    }
    assert!(corpus.inputs.len() > 10, "no seeds were found");
    let seeds = corpus.inputs.len();
    let underway = Arc::new(Mutex::new(Underway { input: Vec::new(), since: None }));
    watch(target, Arc::clone(&underway), out.to_owned());
    // A panic is reported with its input; the default message would only be noise.
    std::panic::set_hook(Box::new(|_| {}));
    let mut random = Random::new(seed);
    let mut seen: HashSet<Feature> = HashSet::new();
    let (mut executions, mut kept, mut most_heap) = (0u64, 0u64, 0usize);
    let started = Instant::now();
    while started.elapsed() < time {
        let index = executions as usize;
        // First the seeds as they are.
        let input = match corpus.inputs.get(index) {
            Some(input) if index < seeds => input.clone(),
            _ => mutate(&corpus, target, MAX_LEN, &mut random),
        };
        let bound = target.heap_base() + HEAP_PER_BYTE * input.len();
        {
            let mut underway = underway.lock().expect("the watcher does not panic");
            underway.input.clone_from(&input);
            underway.since = Some(Instant::now());
        }
        let (result, peak) = heap::peak(|| target.execute(&input));
        underway.lock().expect("see above").since = None;
        executions += 1;
        most_heap = most_heap.max(peak);
        let features = match result {
            Err(problem) => return fail(target, &input, &problem, out),
            Ok(_) if peak > bound => {
                let problem = format!("{peak} bytes of memory for {} bytes", input.len());
                return fail(target, &input, &problem, out);
            }
            Ok(features) => features,
        };
        let is_new = features.into_iter().fold(false, |is_new, one| seen.insert(one) | is_new);
        if is_new && index >= seeds {
            kept += 1;
            if corpus.inputs.len() < MAX_CORPUS {
                corpus.inputs.push(input);
            } else {
                let place = random.within(seeds..MAX_CORPUS);
                corpus.inputs[place] = input;
            }
        }
    }
    println!(
        "{}: {executions} executions in {:.0} s, {seeds} seeds, {kept} inputs kept, {} features, \
         at most {:.1} MB of memory, no failure",
        target.name(),
        started.elapsed().as_secs_f64(),
        seen.len(),
        most_heap as f64 / 1e6,
    );
    Ok(())
}

fn fail(target: Target, input: &[u8], problem: &str, out: &Path) -> Result<(), String> {
    let path = write_down(target, input, out);
    Err(format!("{}: {problem}\nthe input is in {}", target.name(), path.display()))
}

fn write_down(target: Target, input: &[u8], out: &Path) -> PathBuf {
    let sum = input.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let path = out.join(format!("{}-{sum:016x}", target.name()));
    let written = fs::create_dir_all(out).and_then(|()| fs::write(&path, input));
    if let Err(error) = written {
        eprintln!("gotrace-fuzz: {}: {error}", path.display());
    }
    path
}

/// Ends the process if an input takes too long; a loop cannot be ended in any other way.
fn watch(target: Target, underway: Arc<Mutex<Underway>>, out: PathBuf) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let Ok(underway) = underway.lock() else { return };
            if underway.since.is_some_and(|since| since.elapsed() > PATIENCE) {
                let path = write_down(target, &underway.input, &out);
                eprintln!(
                    "gotrace-fuzz: {}: hangs for {PATIENCE:?}\nthe input is in {}",
                    target.name(),
                    path.display()
                );
                std::process::exit(1);
            }
        }
    });
}
