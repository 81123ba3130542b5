//! What can be asked: canned queries with their parameters, relations, functions of SQL.

use crate::store::tables::{Item, TABLE_FUNCTIONS};
use crate::store::{FUNCTIONS, FilterUse, ParameterType, RELATIONS, canned_queries};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result};
use serde_json::{Value as Json, json};

pub fn queries(_: &Request, _: &mut Asker) -> Result<Answer> {
    let all = canned_queries().iter().map(|query| {
        let parameters = query.parameters.iter().map(|one| {
            let ty = match one.ty {
                ParameterType::Integer => "integer",
                ParameterType::Real => "real",
                ParameterType::Text => "text",
                ParameterType::Duration => "duration",
            };
            json!({ "name": one.name, "type": ty, "default": one.default, "doc": one.doc })
        });
        let columns = query.columns.iter();
        let columns =
            columns.map(|one| json!({ "name": one.name, "type": one.ty, "doc": one.doc }));
        let filters = match query.filters {
            FilterUse::None => "none",
            FilterUse::Parameters => "parameters",
            FilterUse::Time => "time",
            FilterUse::All => "time, goroutines",
        };
        json!({
            "name": query.name,
            "title": query.title,
            "description": query.description,
            "parameters": parameters.collect::<Vec<Json>>(),
            "columns": columns.collect::<Vec<Json>>(),
            "filters": filters,
            "sql": query.sql,
        })
    });
    Ok(Answer::json(&all.collect()))
}

pub fn schema(_: &Request, _: &mut Asker) -> Result<Answer> {
    let relations = RELATIONS.iter().map(|relation| {
        let columns = relation.columns.iter();
        let columns =
            columns.map(|one| json!({ "name": one.name, "type": one.ty, "doc": one.doc }));
        json!({
            "name": relation.name,
            "is_table": relation.is_table,
            "doc": relation.doc,
            "columns": columns.collect::<Vec<Json>>(),
        })
    });
    let functions = FUNCTIONS.iter().map(|one| {
        json!({ "name": one.name, "arguments": one.arguments, "doc": one.doc, "columns": null })
    });
    let items = |items: &[Item]| -> Vec<Json> {
        items.iter().map(|one| json!({ "name": one.name, "type": null, "doc": one.doc })).collect()
    };
    let of_rows = TABLE_FUNCTIONS.iter().map(|one| {
        let names = one.arguments.iter().enumerate().map(|(at, argument)| match at {
            at if at < one.required => argument.name.to_owned(),
            _ => format!("[{}]", argument.name),
        });
        json!({
            "name": one.name,
            "arguments": names.collect::<Vec<String>>().join(", "),
            "doc": one.doc,
            "columns": items(one.columns),
        })
    });
    Ok(Answer::json(&json!({
        "relations": relations.collect::<Vec<Json>>(),
        "functions": functions.chain(of_rows).collect::<Vec<Json>>(),
    })))
}
