//! The filter of a database: set, asked, and put in force for what a statement reads.

use super::{Active, Filter, choose, drop_all, relations_of};
use crate::store::{CannedQuery, Database, FilterUse, StoreError, functions, guard};
use rusqlite::{Connection, OptionalExtension};

impl Database {
    /// Looks at a part of the database from here on; an empty filter at all of it.
    pub fn set_filter(&self, filter: Filter) -> Result<(), StoreError> {
        let (from, to) = filter.borders();
        if from >= to {
            return Err(StoreError::Usage("--from must be before --to".into()));
        }
        self.unguarded(|connection| {
            let mut active = self.active.borrow_mut();
            drop_all(connection)?;
            functions::forget_states(connection, &self.budget)?;
            *active = Active { filter, ..Active::default() };
            if active.filter.chooses_goroutines() {
                choose(connection, &active.filter)?;
                active.has_choice = true;
            }
            Ok(())
        })
    }

    /// Wall time at which the first trace starts, nanoseconds since 1970; `None` if it does not tell.
    pub fn start_unix_ns(&self) -> Result<Option<i64>, StoreError> {
        let sql = "select start_unix_ns from main.traces order by id limit 1";
        Ok(self.connection.query_row(sql, [], |row| row.get(0)).optional()?.flatten())
    }

    /// Checks that a canned query obeys the filter in force. Where it has parameters that mean the same,
    /// they are returned, and the filter must not be in force while it runs.
    pub(in crate::store) fn filter_as_parameters(
        &self,
        query: &CannedQuery,
    ) -> Result<Option<Vec<(String, String)>>, StoreError> {
        let filter = self.filter();
        let refuse = |what: &str| Err(StoreError::Usage(format!("query '{}' {what}", query.name)));
        let has = |name: &str| query.parameters.iter().any(|parameter| parameter.name == name);
        match query.filters {
            _ if filter.is_empty() => return Ok(None),
            FilterUse::All => return Ok(None),
            FilterUse::Time if !filter.chooses_goroutines() => return Ok(None),
            FilterUse::Time
                if !has("goid") || filter.function.is_some() || filter.task.is_some() =>
            {
                return refuse(
                    "shows the program as a whole; of the filters it takes --from and --to",
                );
            }
            FilterUse::None => {
                return refuse("shows nothing that has a time or a goroutine; it takes no filters");
            }
            FilterUse::Time | FilterUse::Parameters => {}
        }
        let mut given = Vec::new();
        if query.filters == FilterUse::Parameters {
            if filter.function.is_some() {
                return refuse("is about one goroutine; choose it with --goroutine or --task");
            }
            let times = [("from", filter.from_ns), ("to", filter.to_ns)];
            given.extend(
                times.into_iter().filter_map(|(name, ns)| Some((name.into(), ns?.to_string()))),
            );
        }
        match filter.goroutines[..] {
            [] => {}
            [goid] => given.push(("goid".into(), goid.to_string())),
            _ => return refuse("is about one goroutine; give --goroutine once"),
        }
        if let Some(task) = &filter.task {
            given.push(("task".into(), task.clone()));
        }
        Ok(Some(given))
    }

    /// The filter in force.
    pub fn filter(&self) -> Filter {
        self.active.borrow().filter.clone()
    }

    /// Makes what a statement reads under the filter in force.
    pub(in crate::store) fn prepare_filtered(&self, sql: &str) -> Result<(), StoreError> {
        if self.active.borrow().filter.is_empty() {
            return Ok(());
        }
        let wanted = relations_of(sql);
        self.unguarded(|connection| {
            let mut active = self.active.borrow_mut();
            let made = active.make(connection, &self.budget, &wanted);
            if made.is_err() {
                // Stopped half-way, perhaps by the user: begin anew with the next statement.
                active.made.clear();
                active.has_choice = false;
                drop_all(connection)?;
            }
            made
        })
    }

    /// Runs what only gotrace itself may do on a connection for reading.
    fn unguarded(
        &self,
        run: impl FnOnce(&Connection) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        guard::release(&self.connection)?;
        let _watch = self.budget.watch();
        let done = run(&self.connection);
        guard::protect(&self.connection)?;
        done.map_err(|error| self.explain(error))
    }
}
