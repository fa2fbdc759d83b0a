//! Looking up the addresses of a host.

use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use async_trait::async_trait;
use tokio::sync::Semaphore;

/// How many look-ups the operating system is asked for at the same time. They run on threads that the host's own work needs too,
/// and cannot be called off: one whose name server does not answer goes on long after its fetch has been given up.
const LOOKUPS: usize = 16;

static PLACES: Semaphore = Semaphore::const_new(LOOKUPS);

/// Looks up addresses. Whatever it answers is checked.
#[async_trait]
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a host name.
    ///
    /// # Errors
    ///
    /// When the name cannot be looked up.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system: for at most 16 names at the same time in the whole process, those included that nobody waits for
/// any more. Who comes later waits for their turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let host = host.to_owned();
        in_turn(&PLACES, move || Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())).await
    }
}

/// Runs what blocks on a thread of its own, as soon as there is a place for it. The place is free again when it has ended, and
/// not when nobody waits for it any more.
async fn in_turn<T: Send + 'static>(
    places: &'static Semaphore,
    blocking: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let place = places.acquire().await.map_err(io::Error::other)?;
    let running = tokio::task::spawn_blocking(move || {
        let _place = place;
        blocking()
    });
    running.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn cm_17_look_ups_that_nobody_waits_for_any_more_keep_their_places() {
        static TWO: Semaphore = Semaphore::const_new(2);
        let (started, begun) = mpsc::channel();
        let mut gates = Vec::new();
        for _ in 0..2 {
            let (gate, opened) = mpsc::channel::<()>();
            gates.push(gate);
            let started = started.clone();
            let slow = in_turn(&TWO, move || {
                started.send(()).map_err(io::Error::other)?;
                opened.recv().map_err(io::Error::other)
            });
            assert!(timeout(Duration::ZERO, slow).await.is_err(), "given up");
            begun.recv().unwrap();
        }
        let mut third = pin!(in_turn(&TWO, || Ok(3)));
        assert!(timeout(Duration::ZERO, &mut third).await.is_err());
        assert_eq!(TWO.available_permits(), 0);
        gates.remove(0).send(()).unwrap();
        assert_eq!(third.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn the_operating_system_knows_this_machine() {
        let addresses = SystemResolver.resolve("localhost").await.unwrap();
        assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
