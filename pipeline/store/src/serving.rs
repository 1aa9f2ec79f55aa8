//! A store that is served: many readers and one writer at the same time, in SQLite's write-ahead log. At rest it is one file
//! again.

use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Goes over to the write-ahead log, so that readers and the writer do not wait for each other. A decision is on the disk
    /// when its call returns, as before.
    ///
    /// # Errors
    /// Another program holds the file; a fault of the file.
    pub fn begin_serving(&self) -> Result<(), StoreError> {
        let during = "begin to serve the store";
        let mode: String = self
            .connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(|fault| self.fault(during, fault))?;
        if mode != "wal" {
            return Err(StoreError::Busy { path: self.path.clone(), during });
        }
        Ok(())
    }

    /// Goes back to one file at rest. Where others have the file open still, it stays as it is until a later command opens it.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn end_serving(&self) -> Result<bool, StoreError> {
        let changed = self.connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0));
        match changed.map_err(|fault| self.fault("end serving the store", fault)) {
            Ok(mode) => Ok(mode == "delete"),
            Err(StoreError::Busy { .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}
