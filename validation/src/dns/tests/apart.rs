//! A sandbox whose clock nothing holds up that is tested.

use sandbox::{Sandbox, World};
use tokio_util::sync::CancellationToken;

use super::{
    super::{Config, Engine, Resolver},
    addresses_only,
};

/// A sandbox on a thread of its own, so that its clock is not held up by what is tested.
pub(super) struct Apart {
    pub(super) sandbox: Sandbox,
    _thread: tokio_util::sync::DropGuard,
}

impl Apart {
    pub(super) async fn start(world: World) -> Self {
        let stop = CancellationToken::new();
        let (started, sandbox) = tokio::sync::oneshot::channel();
        let stopped = stop.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let sandbox = Sandbox::start(world).await.unwrap();
                started.send(sandbox).unwrap();
                stopped.cancelled().await;
            });
        });
        Self {
            sandbox: sandbox.await.unwrap(),
            _thread: stop.drop_guard(),
        }
    }

    pub(super) fn engine(&self, change: impl FnOnce(&mut Config)) -> Engine {
        let resolvers = self.sandbox.resolvers().into_iter();
        let mut config = Config {
            resolvers: resolvers.map(Resolver::Address).collect(),
            ..addresses_only(&[])
        };
        change(&mut config);
        Engine::start(config, CancellationToken::new()).unwrap()
    }
}
