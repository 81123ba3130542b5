//! Asks a trace: the canned queries by name, or any SQL over its tables:
//! `cargo run --example ask_a_trace -- app.trace "select count(*) from goroutines"`

use gotrace::analysis::Analysis;
use gotrace::analysis::info::Rows;
use gotrace::source::Location;

pub fn ask(source: &str, question: &str) -> Result<Rows, Box<dyn std::error::Error>> {
    let mut analysis = Analysis::open(&[Location::parse(source)])?;
    let mut answer = Rows::default();
    analysis.query(question, &[], &mut answer)?;
    Ok(answer)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (source, question) =
        words.next().zip(words.next()).ok_or("usage: ask_a_trace SOURCE SQL")?;
    let answer = ask(&source, &question)?;
    println!("{}", answer.columns.join("\t"));
    answer.rows.iter().for_each(|row| println!("{row:?}"));
    Ok(())
}
