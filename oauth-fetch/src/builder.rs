//! The settings of a fetcher.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use crate::fetcher::Shared;
use crate::{Fetcher, Resolve, SystemResolver};

/// Collects the settings of a [`Fetcher`]. All have defaults.
#[derive(Clone, Debug)]
#[must_use = "call .build()"]
pub struct FetcherBuilder {
    pub(crate) ports: Vec<u16>,
    pub(crate) loopback: bool,
    pub(crate) deadline: Duration,
    pub(crate) in_flight: usize,
    pub(crate) in_flight_per_host: usize,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Default for FetcherBuilder {
    fn default() -> Self {
        Self {
            ports: vec![443],
            loopback: false,
            deadline: Duration::from_millis(1500),
            in_flight: 16,
            in_flight_per_host: 2,
            resolver: Arc::new(SystemResolver),
            tls: None,
        }
    }
}

impl FetcherBuilder {
    /// Allows a port beside 443.
    pub fn allow_port(mut self, port: u16) -> Self {
        self.ports.push(port);
        self
    }

    /// Lets URLs name `localhost`, `127.0.0.1` and `[::1]`, with any port, and by `http` too.
    ///
    /// # Security
    ///
    /// For development on one machine only: whoever can make the server fetch a document reaches every service of the machine.
    /// Names that lead to these addresses stay refused.
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// How long a fetch may take, from the look-up to the last byte; default 1.5 s, which is less than the layer's deadline.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many fetches may be in flight; default 16. More are refused at once.
    pub fn in_flight(mut self, max: usize) -> Self {
        self.in_flight = max;
        self
    }

    /// How many fetches may be in flight to one host; default 2.
    pub fn in_flight_per_host(mut self, max: usize) -> Self {
        self.in_flight_per_host = max;
        self
    }

    /// Another resolver.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Other certificate authorities than those of Mozilla's programme, or other settings of TLS.
    pub fn tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// The fetcher.
    pub fn build(self) -> Fetcher {
        let tls = self.tls.clone().unwrap_or_else(public_authorities);
        Fetcher(Arc::new(Shared::new(self, tls)))
    }
}

fn public_authorities() -> Arc<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}
