//! Being told to end: Ctrl-C by a person, SIGTERM by whatever supervises the process.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use crate::FindingsError;

/// Ends when the process is told to end. Listens from the call on, not only once it is awaited.
///
/// # Errors
/// Signals cannot be listened to.
pub(crate) fn told_to_end() -> Result<impl Future<Output = ()> + Send + 'static, FindingsError> {
    let listen = |kind| {
        signal(kind)
            .map_err(|fault| FindingsError::Machinery { during: "listen to signals", reason: fault.to_string() })
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
    })
}
