//! Ending on signals.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Error;

/// Is cancelled by the first SIGINT, SIGTERM or SIGHUP. From then on everything ends by itself; further signals change
/// nothing, because what is under way is what leaves nothing behind.
#[derive(Clone, Debug)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the signals cannot be listened to.
    pub fn on_signals() -> Result<Self, Error> {
        let token = CancellationToken::new();
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            let mut signals = signal(kind).map_err(Error::step("listen to signals"))?;
            let token = token.clone();
            // Ends with the runtime: there is nothing to wait for.
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    token.cancel();
                }
            });
        }
        Ok(Self(token))
    }

    /// Waits for the first signal.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Says whether it came.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }
}
