//! Histograms with steps that grow with the values.

use super::{integer, refuse_call};
use rusqlite::functions::{Aggregate, Context};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};
use std::collections::BTreeMap;

/// Steps of `histogram(x)` for each power of ten.
const STEPS: i64 = 10;

/// Adds the functions to a connection.
pub fn register(connection: &Connection) -> Result<()> {
    connection.create_aggregate_function("histogram", 1, super::flags(), Histogram)?;
    connection.create_scalar_function("histogram_step", 2, super::flags(), |context| {
        let Some(value) = integer(context, "histogram_step", 0)? else { return Ok(None) };
        let Some(steps) = steps(context, "histogram_step")? else { return Ok(None) };
        Ok(Some(step_of(value, steps)))
    })?;
    connection.create_scalar_function("histogram_border", 2, super::flags(), |context| {
        let Some(step) = integer(context, "histogram_border", 0)? else { return Ok(None) };
        let Some(steps) = steps(context, "histogram_border")? else { return Ok(None) };
        Ok(Some(border(step, steps)))
    })
}

fn steps(context: &Context<'_>, name: &str) -> Result<Option<i64>> {
    match integer(context, name, 1)? {
        steps @ (None | Some(1..=100)) => Ok(steps),
        _ => Err(refuse_call(name, "want 1 to 100 steps for each power of ten")),
    }
}

/// Where a step begins: at 10^(step/steps), and step -1 at 0.
fn border(step: i64, steps: i64) -> i64 {
    if step < 0 {
        return 0;
    }
    let power = 10_f64.powf(step as f64 / steps as f64);
    // Whole powers are exact, and borders are whole numbers.
    if power >= i64::MAX as f64 { i64::MAX } else { (power - 1e-9 * power).ceil() as i64 }
}

/// The last step that begins at or below a value; -1 for values below 1.
fn step_of(value: i64, steps: i64) -> i64 {
    if value < 1 {
        return -1;
    }
    let mut step = ((value as f64).log10() * steps as f64).floor() as i64;
    while step >= 0 && border(step, steps) > value {
        step -= 1;
    }
    while border(step + 1, steps) <= value && border(step + 1, steps) < i64::MAX {
        step += 1;
    }
    step
}

/// `histogram(x)`: the steps that have values, as JSON.
struct Histogram;

impl Aggregate<BTreeMap<i64, i64>, Value> for Histogram {
    fn init(&self, _: &mut Context<'_>) -> Result<BTreeMap<i64, i64>> {
        Ok(BTreeMap::new())
    }

    fn step(&self, context: &mut Context<'_>, counts: &mut BTreeMap<i64, i64>) -> Result<()> {
        let value = match context.get_raw(0) {
            // Not rounded: 9.9 lies in the step that ends at 10.
            ValueRef::Real(value) => value as i64,
            _ => match integer(context, "histogram", 0)? {
                Some(value) => value,
                None => return Ok(()),
            },
        };
        *counts.entry(step_of(value, STEPS)).or_default() += 1;
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, counts: Option<BTreeMap<i64, i64>>) -> Result<Value> {
        let Some(counts) = counts.filter(|counts| !counts.is_empty()) else {
            return Ok(Value::Null);
        };
        let steps: Vec<String> = counts
            .iter()
            .map(|(&step, count)| {
                let (from, to) = (border(step, STEPS), border(step + 1, STEPS));
                format!("{{\"from\":{from},\"to\":{to},\"count\":{count}}}")
            })
            .collect();
        Ok(Value::Text(format!("[{}]", steps.join(","))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_between_the_borders_of_its_step() {
        for steps in [1, 3, 10] {
            for value in (0..3000).chain([10_000, 999_999, 1_000_000, 123_456_789, i64::MAX - 1]) {
                let step = step_of(value, steps);
                assert!(border(step, steps) <= value, "{value} in {steps}");
                assert!(value < border(step + 1, steps), "{value} in {steps}");
            }
        }
        assert_eq!(border(30, 10), 1000);
        assert_eq!(border(3, 1), 1000);
        assert_eq!(step_of(1000, 10), 30);
        assert_eq!((step_of(0, 10), border(-1, 10), border(0, 10)), (-1, 0, 1));
    }
}
