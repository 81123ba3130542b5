//! Keeping a query from doing anything but reading, for ever, or without bound.

use super::{Limits, StoreError};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

/// Longest statement, bytes.
const MAX_SQL_BYTES: i32 = 1 << 20;
/// Longest pattern of LIKE and GLOB, bytes: they take time as the product of pattern and text.
const MAX_PATTERN_BYTES: i32 = 1000;

/// Makes a connection that trusts nothing that stands in its file: neither its schema nor its pages.
pub fn distrust(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// Sets how long a value may be.
pub fn set_limits(connection: &Connection, limits: Limits) -> Result<(), StoreError> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, limits.value_bytes())?;
    Ok(())
}

/// Makes a connection read-only for whoever uses it from here on.
pub fn protect(connection: &Connection) -> Result<(), StoreError> {
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN_BYTES)?;
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
