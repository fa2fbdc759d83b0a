//! Fetches in flight: bounded, and one for all who ask for the same.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};
use rustls::ClientConfig;
use tokio::sync::watch;

use crate::FetcherBuilder;
use crate::connect::connect;
use crate::exchange::exchange;
use crate::target::Target;

/// Fetches JSON documents over HTTPS. Cheap to clone; clones share their bounds.
///
/// It needs a tokio runtime with time and I/O enabled.
#[derive(Clone)]
pub struct Fetcher(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    settings: FetcherBuilder,
    tls: Arc<ClientConfig>,
    flights: Mutex<HashMap<Flight, Landing>>,
}

/// What one fetch is about.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Flight {
    url: String,
    limit: usize,
    authority: String,
}

type Outcome = Result<Arc<Fetched>, FetchError>;

/// Where those wait who want the same.
type Landing = watch::Receiver<Option<Outcome>>;

impl Shared {
    pub(crate) fn new(settings: FetcherBuilder, tls: Arc<ClientConfig>) -> Self {
        Self { settings, tls, flights: Mutex::default() }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Flight, Landing>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, target: &Target, limit: usize) -> Outcome {
        let whole = async {
            let stream = connect(target, &*self.settings.resolver, &self.tls).await?;
            exchange(stream, target, limit).await
        };
        match tokio::time::timeout(self.settings.deadline, whole).await {
            Ok(fetched) => fetched.map(Arc::new),
            Err(_) => Err(FetchError::Unreachable),
        }
    }
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetcher {
    /// A fetcher for public hosts, with the defaults of [`FetcherBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Begins a fetcher with other settings.
    pub fn builder() -> FetcherBuilder {
        FetcherBuilder::default()
    }

    /// The fetch of a document that is in flight, or a new one. It goes on when those who wait for it give up.
    fn board(&self, url: &str, limit: usize) -> Result<Landing, FetchError> {
        let settings = &self.0.settings;
        let target = Target::parse(url, &settings.ports, settings.loopback)?;
        let flight = Flight { url: url.to_owned(), limit, authority: target.authority.clone() };
        let mut flights = self.0.flights();
        if let Some(landing) = flights.get(&flight) {
            return Ok(landing.clone());
        }
        let same_host = flights.keys().filter(|other| other.authority == flight.authority).count();
        if flights.len() >= settings.in_flight || same_host >= settings.in_flight_per_host {
            return Err(FetchError::Busy);
        }
        let (landed, landing) = watch::channel(None);
        flights.insert(flight.clone(), landing.clone());
        drop(flights);
        let seat = Seat { shared: self.0.clone(), flight };
        tokio::spawn(async move {
            let outcome = seat.shared.run(&target, limit).await;
            drop(seat);
            landed.send_replace(Some(outcome));
        });
        Ok(landing)
    }
}

/// The place of a fetch among those in flight, given back however the fetch ends.
struct Seat {
    shared: Arc<Shared>,
    flight: Flight,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.flights().remove(&self.flight);
    }
}

#[async_trait]
impl DocumentFetcher for Fetcher {
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, FetchError> {
        let mut landing = self.board(url, limit)?;
        let outcome = match landing.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        match outcome {
            Some(Ok(fetched)) => Ok(Arc::unwrap_or_clone(fetched)),
            Some(Err(error)) => Err(error),
            None => Err(FetchError::Unreachable),
        }
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("in_flight", &self.0.flights().len()).finish_non_exhaustive()
    }
}
