//! Readers and the one writer of the store. SQLite's calls block: each runs on a thread for such work.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use shorewatch_store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Connections to one store.
pub struct Stores {
    idle: Mutex<Vec<Store>>,
    free: Arc<Semaphore>,
    writer: Mutex<Store>,
}

impl Stores {
    /// Opens the store for many readers and one writer.
    ///
    /// # Errors
    /// There is no store, it is damaged, or another program holds it.
    pub fn open(path: &Path, readers: usize, now: Timestamp) -> Result<Self, StoreError> {
        let writer = Store::open_existing(path, now)?;
        writer.begin_serving()?;
        let idle = (0..readers.max(1)).map(|_| Store::open_read_only(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { free: Arc::new(Semaphore::new(idle.len())), idle: Mutex::new(idle), writer: Mutex::new(writer) })
    }

    /// Reads.
    ///
    /// # Errors
    /// Whatever `work` says; the server is going down.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|fault| Problem::internal(&fault))?;
        let stores = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let store = stores.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(store) = store else { return Err(Problem::internal(&"no reader is free")) };
            let done = work(&store);
            stores.idle.lock().unwrap_or_else(PoisonError::into_inner).push(store);
            drop(permit);
            done.map_err(Problem::from)
        });
        done.await.map_err(|fault| Problem::internal(&fault))?
    }

    /// Writes.
    ///
    /// # Errors
    /// Whatever `work` says; the server is going down.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let stores = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let mut store = stores.writer.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut store).map_err(Problem::from)
        });
        done.await.map_err(|fault| Problem::internal(&fault))?
    }

    /// Ends: the store becomes one file again.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn close(&self) -> Result<(), StoreError> {
        self.free.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if !writer.end_serving()? {
            tracing::info!(
                "another program has the store open still: its write-ahead log stays until the next command"
            );
        }
        Ok(())
    }
}
