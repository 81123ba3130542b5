//! Keeping a query from doing anything but reading, for ever, or without bound.

use super::StoreError;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

/// Longest string or blob a query may make, bytes.
const MAX_VALUE_BYTES: i32 = 256 << 20;
/// Longest statement, bytes.
const MAX_SQL_BYTES: i32 = 1 << 20;
/// Most memory SQLite may use in the process, bytes.
const MAX_HEAP_BYTES: i64 = 2 << 30;

/// Makes a connection read-only for whoever uses it from here on.
pub fn protect(connection: &Connection) -> Result<(), StoreError> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.pragma_update_and_check(None, "hard_heap_limit", MAX_HEAP_BYTES, |_| Ok(()))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.authorizer(Some(authorize));
    Ok(())
}

/// Undoes [`protect`] for what gotrace itself writes into the temporary schema. The file stays
/// read-only: it was opened so.
pub fn release(connection: &Connection) -> Result<(), StoreError> {
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
    connection.pragma_update(None, "query_only", false)?;
    Ok(())
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => {
            Authorization::Allow
        }
        AuthAction::Function { function_name } if function_name != "load_extension" => {
            Authorization::Allow
        }
        // Asking for the shape of a table, or for the functions there are, is reading.
        AuthAction::Pragma {
            pragma_name:
                "table_info" | "table_xinfo" | "table_list" | "index_list" | "function_list",
            ..
        } => Authorization::Allow,
        _ => Authorization::Deny,
    }
}
