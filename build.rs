//! Derives code from the declarations in `schema/` and `queries/`.
//!
//! For each table of `schema/*.sql` a row type is generated, so that loading a column that does
//! not exist, or forgetting one, does not compile. The forms the files may have are described in
//! `schema/README.md`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A column of a relation.
struct Column {
    name: String,
    /// `integer`, `text` or `real` for tables; empty for views.
    ty: String,
    not_null: bool,
    doc: String,
}

struct Relation {
    name: String,
    is_table: bool,
    doc: String,
    columns: Vec<Column>,
    path: PathBuf,
}

fn main() {
    println!("cargo::rerun-if-changed=schema");
    println!("cargo::rerun-if-changed=queries");
    let relations: Vec<Relation> = sql_files("schema").iter().map(|path| parse(path)).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("relations.rs"), relations_code(&relations)).expect("OUT_DIR is writable");
    fs::write(out.join("queries.rs"), queries_code()).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed=web");
    fs::write(out.join("assets.rs"), assets_code()).expect("OUT_DIR is writable");
}

/// The files that pages are made of, and a number that is another one for other contents.
fn assets_code() -> String {
    let mut paths = Vec::new();
    collect(Path::new("web"), &mut paths);
    paths.sort();
    let mut code = String::from("const ASSETS: &[Asset] = &[\n");
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for path in &paths {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for byte in path.to_string_lossy().bytes().chain(bytes) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        let inside = path.strip_prefix("web").expect("it was found there");
        let name: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        let whole = path.canonicalize().expect("exists");
        let _ = writeln!(
            code,
            "    Asset {{ path: {:?}, bytes: include_bytes!({whole:?}) }},",
            name.join("/")
        );
    }
    let _ = writeln!(code, "];\nconst ASSETS_HASH: u64 = {hash:#x};");
    code
}

/// The files of a folder and those in it that browsers take.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("folder is readable").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|it| it == "js" || it == "css" || it == "svg") {
            paths.push(path);
        }
    }
}

fn sql_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("folder is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    files
}

fn parse(path: &Path) -> Relation {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let refuse = |what: &str| -> ! { panic!("{}: {what}", path.display()) };
    let mut doc = String::new();
    let mut lines = text.lines();
    let head = loop {
        let Some(line) = lines.next() else { refuse("no statement") };
        let Some(comment) = line.strip_prefix("-- ") else { break line };
        doc.push_str(comment);
        doc.push(' ');
    };
    let doc = doc.trim_end().to_owned();
    let (is_table, name) = match head.split_whitespace().collect::<Vec<_>>()[..] {
        ["create", "table", name, "("] => (true, name),
        ["create", "view", name, "as"] => (false, name),
        _ => refuse("want 'create table NAME (' or 'create view NAME as'"),
    };
    let columns: Vec<Column> = match is_table {
        true => {
            lines.take_while(|line| *line != ") strict;").map(|line| column(line, path)).collect()
        }
        // Behind the head, so that SQLite keeps them with the statement.
        false => lines.map_while(view_column).collect(),
    };
    if doc.is_empty() || columns.is_empty() {
        refuse("the relation or its columns have no comment");
    }
    Relation {
        name: name.into(),
        is_table,
        doc,
        columns,
        path: path.canonicalize().expect("exists"),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Parses `  name type [not null] ..., -- meaning`.
fn column(line: &str, path: &Path) -> Column {
    let refuse = || -> ! { panic!("{}: want 'name type ..., -- meaning': {line}", path.display()) };
    let Some((definition, doc)) = line.split_once(" -- ") else { refuse() };
    let definition = definition.trim().trim_end_matches(',');
    let words: Vec<&str> = definition.split_whitespace().collect();
    let [name, ty @ ("integer" | "text" | "real"), ..] = words[..] else { refuse() };
    Column {
        name: name.into(),
        ty: ty.into(),
        not_null: definition.contains("not null"),
        doc: doc.into(),
    }
}

/// Parses `-- name: meaning`.
fn view_column(line: &str) -> Option<Column> {
    let (name, doc) = line.strip_prefix("-- ")?.split_once(": ")?;
    is_name(name).then(|| Column {
        name: name.into(),
        ty: String::new(),
        not_null: false,
        doc: doc.into(),
    })
}

fn relations_code(relations: &[Relation]) -> String {
    let mut code = String::from("/// Every table and view, in the order of creation.\n");
    code.push_str("pub static RELATIONS: &[Relation] = &[\n");
    for relation in relations {
        let _ = writeln!(
            code,
            "Relation {{ name: {:?}, is_table: {}, doc: {:?}, sql: include_str!({:?}), columns: &[",
            relation.name, relation.is_table, relation.doc, relation.path
        );
        for column in &relation.columns {
            let _ = writeln!(
                code,
                "    Column {{ name: {:?}, ty: {:?}, not_null: {}, doc: {:?} }},",
                column.name, column.ty, column.not_null, column.doc
            );
        }
        code.push_str("] },\n");
    }
    code.push_str("];\n");
    for (table, relation) in relations.iter().filter(|relation| relation.is_table).enumerate() {
        code.push_str(&row_code(table, relation));
    }
    code
}

/// The row type of a table.
fn row_code(table: usize, relation: &Relation) -> String {
    let name = camel_case(&relation.name);
    let has_text = relation.columns.iter().any(|column| column.ty == "text");
    let lifetime = if has_text { "<'a>" } else { "" };
    let anonymous = if has_text { "<'_>" } else { "" };
    let mut code = format!(
        "/// {}\n#[derive(Debug, Clone, Copy)]\npub struct {name}{lifetime} {{\n",
        relation.doc
    );
    let mut visits = String::new();
    for column in &relation.columns {
        let (ty, method) = match column.ty.as_str() {
            "integer" => ("i64", "integer"),
            "real" => ("f64", "real"),
            _ => ("&'a str", "text"),
        };
        let ty = if column.not_null { ty.to_owned() } else { format!("Option<{ty}>") };
        // Raw, because a column may be named like a keyword (`type`).
        let field = format!("r#{}", column.name);
        let _ = writeln!(code, "    /// {}\n    pub {field}: {ty},", column.doc);
        if column.not_null {
            let _ = writeln!(visits, "        visitor.{method}(self.{field});");
        } else {
            let _ = writeln!(
                visits,
                "        match self.{field} {{ Some(value) => visitor.{method}(value), None => visitor.null() }}"
            );
        }
    }
    let _ = write!(
        code,
        "}}\nimpl Row for {name}{anonymous} {{\n    const TABLE: usize = {table};\n    const NAME: &'static str = {:?};\n    const COLUMNS: usize = {};\n    #[inline(always)]\n    fn id(&self) -> i64 {{ self.r#{} }}\n    #[inline(always)]\n    fn visit<V: Visitor>(&self, visitor: &mut V) {{\n{visits}    }}\n}}\n",
        relation.name,
        relation.columns.len(),
        relation.columns[0].name,
    );
    code
}

fn camel_case(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}

fn queries_code() -> String {
    let mut code =
        String::from("/// Name and text of every canned query, in the order of the names.\n");
    code.push_str("pub static QUERY_FILES: &[(&str, &str)] = &[\n");
    for path in sql_files("queries") {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("names are UTF-8");
        let path = path.canonicalize().expect("exists");
        let _ = writeln!(code, "    ({name:?}, include_str!({path:?})),");
    }
    code.push_str("];\n");
    code
}
