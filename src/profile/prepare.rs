//! From sources to the profile that reports are made of: merging, subtracting a base, cleaning
//! names, leaving out frames that the profile itself calls uninteresting.
//!
//! Source: Go 1.27 pprof `internal/driver/fetch.go`, fetchProfiles; `profile/prune.go`;
//! `internal/symbolizer/symbolizer.go`, Demangle.

use super::labels::{Label, LabelValue};
use super::merge::{make_compatible, merge};
use super::model::{Mapping, Profile};
use super::pattern::Pattern;
use super::text::Text;
use rustc_hash::FxHashMap;

/// The key that marks samples of a base that is compared with.
pub const BASE_LABEL: &str = "pprof::base";

/// What to do with the sources.
#[derive(Debug, Clone, Copy, Default)]
pub struct Preparation<'a> {
    /// Mark the samples of the base (`-diff_base`), so that percentages are of the base's total.
    pub is_diff: bool,
    /// Scale the sources to the total of the base.
    pub normalize: bool,
    /// Keep the frames that the profile calls uninteresting.
    pub all_frames: bool,
    /// A remark to add.
    pub comment: Option<&'a str>,
    /// The program that was profiled, if the user knows better than the profile.
    pub program: Option<&'a str>,
    /// The build id of the program, if the profile does not know it.
    pub build_id: Option<&'a str>,
    /// What to do to names.
    pub symbolize: Symbolize,
}

/// How much of a C++ name is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum NameStyle {
    /// Neither arguments of functions nor of templates.
    #[default]
    Short,
    /// No arguments of functions.
    Templates,
    /// All.
    Full,
}

/// What pprof's `-symbolize` says, as far as it is of use without program files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Symbolize {
    /// Nothing is looked up and no name is changed.
    pub is_off: bool,
    /// Names that differ from those of the linker are made of these again.
    is_forced: bool,
    style: NameStyle,
}

impl Symbolize {
    /// Reads `none`, `local:force`, `demangle=full` and the like (`symbolizer.go`, Symbolize).
    pub fn parse(text: &str) -> Result<Symbolize, String> {
        let mut symbolize = Symbolize::default();
        for word in text.to_ascii_lowercase().split(':') {
            match word {
                "none" | "no" => return Ok(Symbolize { is_off: true, ..Symbolize::default() }),
                "" | "local" | "fastlocal" | "remote" | "demangle=default" => {}
                "force" => symbolize.is_forced = true,
                // None to be made readable: this reader makes none readable anyway.
                "demangle=none" | "demangle=full" | "demangle=templates" => {
                    symbolize.is_forced = true;
                    symbolize.style = match word {
                        "demangle=templates" => NameStyle::Templates,
                        _ => NameStyle::Full,
                    };
                }
                _ => {
                    return Err(format!(
                        "want [local|fastlocal|remote|none][:force][:demangle=[none|full|templates|default]], got {word:?}"
                    ));
                }
            }
        }
        Ok(symbolize)
    }
}

/// Makes one profile of sources, minus bases. The error is for users.
pub fn prepare(
    sources: Vec<Profile>,
    bases: Vec<Profile>,
    how: Preparation<'_>,
) -> Result<Profile, String> {
    let located = |mut profile: Profile| {
        locate(&mut profile, how);
        profile
    };
    let mut profile = combine(sources.into_iter().map(located).collect())?;
    if !bases.is_empty() {
        let mut base = combine(bases.into_iter().map(located).collect())?;
        if how.is_diff {
            mark(&mut base);
        }
        if how.normalize {
            normalize(&mut profile, &base)?;
        }
        let minus = vec![-1.0; base.sample_types.len()];
        base.scale(&minus);
        profile = combine(vec![profile, base])?;
    }
    if how.all_frames {
        profile.drop_frames = Text::EMPTY;
        profile.keep_frames = Text::EMPTY;
    }
    if !how.symbolize.is_off {
        simplify_names(&mut profile, how.symbolize);
    }
    remove_uninteresting(&mut profile)?;
    if let Some(comment) = how.comment {
        let comment = profile.texts.intern(comment);
        profile.comments.push(comment);
    }
    Ok(profile)
}

fn combine(mut profiles: Vec<Profile>) -> Result<Profile, String> {
    make_compatible(&mut profiles)?;
    // One profile stays as it is: its numbers are those of the file.
    match profiles.len() {
        1 => Ok(profiles.remove(0)),
        _ => merge(&profiles.iter().collect::<Vec<_>>()),
    }
}

/// Every profile has at least one mapping afterwards (`fetch.go`, locateBinaries).
fn locate(profile: &mut Profile, how: Preparation<'_>) {
    if profile.mappings.is_empty() {
        profile.mappings.push(Mapping { id: 1, ..Mapping::default() });
        profile.locations.iter_mut().for_each(|location| location.mapping = Some(0));
    }
    if let Some(program) = how.program {
        profile.mappings[0].file = profile.texts.intern(program);
    }
    if let Some(build_id) = how.build_id
        && profile.mappings[0].build_id.is_empty()
    {
        profile.mappings[0].build_id = profile.texts.intern(build_id);
    }
}

fn mark(base: &mut Profile) {
    let key = base.texts.intern(BASE_LABEL);
    let value = LabelValue::Text(base.texts.intern("true"));
    map_labels(base, |labels| {
        let others = labels.iter().filter(|label| label.key != key);
        others.copied().chain([Label { key, value }]).collect()
    });
}

/// Changes the labels of all samples.
pub fn map_labels(profile: &mut Profile, change: impl FnMut(&[Label]) -> Vec<Label>) {
    let (sets, ids) = profile.label_sets.map(change);
    profile.label_sets = sets;
    for sample in 0..profile.samples.len() {
        let old = profile.samples.labels(sample);
        profile.samples.set_labels(sample, ids[old.index()]);
    }
}

/// `profile/merge.go`, Normalize.
fn normalize(profile: &mut Profile, base: &Profile) -> Result<(), String> {
    let width = profile.sample_types.len();
    if base.sample_types.len() != width {
        return Err("the base has other sample types; it cannot be normalized by".into());
    }
    let sums = |profile: &Profile| {
        let mut sums = vec![0i64; width];
        for sample in 0..profile.samples.len() {
            for (sum, &value) in sums.iter_mut().zip(profile.samples.values(sample)) {
                *sum = sum.wrapping_add(value);
            }
        }
        sums
    };
    let factors: Vec<f64> = sums(base)
        .into_iter()
        .zip(sums(profile))
        .map(|(base, own)| if own == 0 { 0.0 } else { base as f64 / own as f64 })
        .collect();
    profile.scale(&factors);
    Ok(())
}

/// Shortens names that look like C++ that was made readable: without arguments of functions and
/// templates. Go names with type arguments look like that too, by their brackets.
fn simplify_names(profile: &mut Profile, symbolize: Symbolize) {
    for function in &mut profile.functions {
        if symbolize.is_forced && !function.name.is_empty() && !function.system_name.is_empty() {
            function.name = function.system_name;
        }
        if !function.name.is_empty() && function.name != function.system_name {
            continue;
        }
        let name = profile.texts.get(function.system_name);
        function.name = if symbolize.style != NameStyle::Full && looks_like_cpp(name) {
            let short = without(name, b'(', b')');
            let short = match symbolize.style {
                NameStyle::Short => without(&short, b'<', b'>'),
                _ => short,
            };
            profile.texts.intern(&short)
        } else {
            function.system_name
        };
    }
}

fn looks_like_cpp(name: &str) -> bool {
    !name.contains(".<")
        && !name.contains("]).")
        && (name.contains(['<', '>', '[', ']']) || name.contains("::"))
}

/// Removes what stands between matching signs, and the signs. At a sign that closes nothing it stops
/// (`symbolizer.go`, removeMatching).
fn without(name: &str, open: u8, close: u8) -> String {
    let mut name = name.as_bytes().to_vec();
    let (mut depth, mut first, mut at) = (0, 0, 0);
    while let Some(found) = name[at..].iter().position(|&byte| byte == open || byte == close) {
        at += found;
        if name[at] == open {
            depth += 1;
            if depth == 1 {
                first = at;
            }
        } else if depth == 0 {
            break;
        } else {
            depth -= 1;
            if depth == 0 {
                name.drain(first..=at);
                at = first;
                continue;
            }
        }
        at += 1;
    }
    String::from_utf8_lossy(&name).into_owned()
}

/// `profile/prune.go`, RemoveUninteresting. Patterns that are none are ignored, as in Go.
fn remove_uninteresting(profile: &mut Profile) -> Result<(), String> {
    if profile.drop_frames.is_empty() {
        return Ok(());
    }
    let compile = |text: Text| Pattern::new(&format!("^({})$", profile.text(text))).ok();
    let Some(drop) = compile(profile.drop_frames) else { return Ok(()) };
    let keep = match profile.keep_frames.is_empty() {
        true => None,
        false => match compile(profile.keep_frames) {
            Some(keep) => Some(keep),
            None => return Ok(()),
        },
    };
    prune(profile, &drop, keep.as_ref());
    Ok(())
}

/// The name without arguments (`prune.go`, simplifyFunc).
pub fn plain_name(name: &str) -> &str {
    let name = name.strip_prefix('.').unwrap_or(name);
    let mut from = 0;
    while let Some(found) = name[from..].find(['(', 'o']) {
        let at = from + found;
        let rest = &name[at..];
        let reserved = ["(anonymous namespace)", "operator()"];
        if let Some(word) = reserved.iter().find(|word| rest.starts_with(**word)) {
            from = at + word.len();
        } else if rest.starts_with('(') {
            return &name[..at];
        } else {
            from = at + 1;
        }
    }
    name
}

fn prune(profile: &mut Profile, drop: &Pattern, keep: Option<&Pattern>) {
    let mut known: FxHashMap<Text, bool> = FxHashMap::default();
    let mut is_whole = vec![false; profile.locations.len()];
    let mut is_beneath = vec![false; profile.locations.len()];
    for (position, location) in profile.locations.iter_mut().enumerate() {
        let found = location.lines.iter().rposition(|line| {
            let name = profile.functions[line.function as usize].name;
            !name.is_empty()
                && *known.entry(name).or_insert_with(|| {
                    let name = plain_name(profile.texts.get(name));
                    drop.is_match(name) && !keep.is_some_and(|keep| keep.is_match(name))
                })
        });
        let Some(found) = found else { continue };
        is_beneath[position] = true;
        if found + 1 == location.lines.len() {
            is_whole[position] = true;
        } else {
            location.lines.drain(..=found);
        }
    }
    for sample in 0..profile.samples.len() {
        let stack = profile.samples.stack(sample);
        let mut found_user = false;
        let mut cut = None;
        for (index, &frame) in stack.iter().enumerate().rev() {
            let frame = frame as usize;
            if !is_beneath[frame] {
                found_user = true;
            } else if found_user {
                cut = Some(if is_whole[frame] { index + 1 } else { index });
                break;
            }
        }
        if let Some(start) = cut {
            let end = stack.len();
            profile.samples.cut(sample, start..end);
        }
    }
}

/// Drops what is below the lowest frame that matches (`prune.go`, PruneFrom).
pub fn prune_from(profile: &mut Profile, drop: &Pattern) {
    let mut is_beneath = vec![false; profile.locations.len()];
    for (position, location) in profile.locations.iter_mut().enumerate() {
        let found = location.lines.iter().position(|line| {
            let name = profile.functions[line.function as usize].name;
            !name.is_empty() && drop.is_match(plain_name(profile.texts.get(name)))
        });
        if let Some(found) = found {
            is_beneath[position] = true;
            location.lines.drain(..found);
        }
    }
    for sample in 0..profile.samples.len() {
        let stack = profile.samples.stack(sample);
        if let Some(start) = stack.iter().position(|&frame| is_beneath[frame as usize]) {
            let end = stack.len();
            profile.samples.cut(sample, start..end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_arguments() {
        assert_eq!(plain_name(".foo(int)"), "foo");
        assert_eq!(plain_name("(anonymous namespace)::bar(x)"), "(anonymous namespace)::bar");
        assert_eq!(plain_name("X::operator()(int)"), "X::operator()");
        assert_eq!(without("a<b<c>>d(e)", b'<', b'>'), "ad(e)");
        assert_eq!(without("a>b", b'<', b'>'), "a>b");
        assert!(looks_like_cpp("main.Map[...]") && !looks_like_cpp("main.(*T[...]).f"));
    }
}
