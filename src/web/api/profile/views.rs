//! Views of profiles as pages take them: every value exact and as the command line shows it.

use crate::profile::{FlameNode, Neighbour, Report, TagGroup, units};
use crate::web::message::{Result, bad};
use serde_json::{Value as Json, json};

/// What a view begins with.
pub fn head(report: &Report) -> Json {
    json!({
        "sample_type": report.sample_type(),
        "unit": report.sample_unit(),
        "total": report.total(),
        "total_text": report.format(report.total()),
        "remarks": report.messages,
    })
}

fn share(value: i64, total: i64) -> String {
    units::percentage(value, total).trim().to_owned()
}

/// Most letters of a name: no program has longer ones, and a page would show nothing else.
const MAX_NAME: usize = 4096;

fn name(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_NAME).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// `top`: the rows are `[function, inline, flat, its text, flat%, sum%, cum, its text, cum%, sum]`.
pub fn top(report: &mut Report) -> Json {
    let top = report.top();
    let mut sum = 0i64;
    let rows = top.items.iter().map(|item| {
        sum = sum.wrapping_add(item.flat);
        json!([
            name(&item.name),
            item.inline,
            item.flat,
            item.flat_text,
            share(item.flat, top.total),
            share(sum, top.total),
            item.cum,
            item.cum_text,
            share(item.cum, top.total),
            sum,
        ])
    });
    let rows: Vec<Json> = rows.collect();
    let mut json = head(report);
    json["header"] = json!(top.labels);
    json["rows"] = rows.into();
    json
}

/// `peek`, and `tree`: functions, each with callers and callees as `[function, inline, value, its text, share of
/// the function]`.
pub fn peek(report: &mut Report) -> Result<Json> {
    let tree = report.tree().map_err(bad)?;
    let mut sum = 0i64;
    let nodes = tree.nodes.iter().map(|node| {
        sum = sum.wrapping_add(node.flat.0);
        let cum = node.cum.0;
        let neighbours = |list: &[Neighbour]| -> Json {
            let one = |one: &Neighbour| {
                let inline = if one.is_inline { "(inline)" } else { "" };
                json!([name(&one.name), inline, one.weight, one.text, share(one.weight, cum)])
            };
            list.iter().map(one).collect()
        };
        json!({
            "name": name(&node.name),
            "flat": node.flat.0,
            "flat_text": node.flat.1,
            "flat_share": share(node.flat.0, tree.total),
            "sum_share": share(sum, tree.total),
            "cum": cum,
            "cum_text": node.cum.1,
            "cum_share": share(cum, tree.total),
            "callers": neighbours(&node.callers),
            "callees": neighbours(&node.callees),
        })
    });
    let nodes: Vec<Json> = nodes.collect();
    let mut json = head(report);
    json["header"] = json!(tree.labels);
    json["nodes"] = nodes.into();
    Ok(json)
}

/// `tags`: labels, each with its values as `[value, sum, its text, share]`.
pub fn tags(report: &Report) -> Json {
    let tags = report.tags();
    let total = tags.total.0;
    let group = |group: &TagGroup| {
        let values = group.values.iter();
        let values = values
            .map(|(label, value, text)| json!([name(label), value, text, share(*value, total)]));
        json!({
            "key": group.key,
            "total": group.total.0,
            "total_text": group.total.1,
            "share": share(group.total.0, total),
            "values": values.collect::<Vec<Json>>(),
        })
    };
    let mut json = head(report);
    json["groups"] = tags.groups.iter().map(group).collect();
    json
}

/// The tree of stacks. The nodes are `[name, parent, own value, value]`, of a difference with `[own value before,
/// value before, width]` behind them; `shares` has for each node how much of it has each label of `label_names`.
pub fn flame(report: &mut Report, label: &str) -> Json {
    let tree = report.flame_tree(label);
    let nodes = tree.nodes.iter().map(|node| {
        let FlameNode { name, parent, own, all, width, .. } = *node;
        let mut row = vec![i64::from(name), i64::from(parent), own[0], all[0]];
        if tree.is_difference {
            row.extend([own[1], all[1], width]);
        }
        row
    });
    let mut json = head(report);
    if !tree.labels.is_empty() {
        let count = tree.labels.len();
        json["shares"] = tree.shares.iter().map(|shares| json!(shares[..count])).collect();
        json["label_names"] = json!(tree.labels);
    }
    json["header"] = json!(report.profile_labels());
    json["is_difference"] = tree.is_difference.into();
    json["left_out"] = tree.left_out.into();
    json["nodes"] = nodes.collect::<Vec<_>>().into();
    json["names"] = json!(tree.names);
    json
}
