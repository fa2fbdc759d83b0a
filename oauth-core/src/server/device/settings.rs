//! The settings of the device flow.

use std::borrow::Cow;
use std::time::Duration;

use crate::grant::MAX_INTERVAL;
use crate::server::BuildError;

/// Switches the device flow on; see [`ServerBuilder::device_flow`](crate::server::ServerBuilder::device_flow).
///
/// Clients use it whose grant types name [`DeviceFlow::GRANT_TYPE`], such as those of
/// [`Client::device`](crate::client::Client::device).
#[derive(Clone, Debug)]
pub struct DeviceFlow {
    pub(in crate::server) lifetime: Duration,
    pub(in crate::server) interval: u32,
    pub(in crate::server) path: Cow<'static, str>,
}

impl DeviceFlow {
    /// The grant type's name (RFC 8628 §3.4).
    pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

    /// Codes that live for 10 minutes, polls every 5 seconds, the verification page at `/device`.
    pub fn new() -> Self {
        Self { lifetime: Duration::from_secs(600), interval: 5, path: Cow::Borrowed("/device") }
    }

    /// How long the codes live; default 10 minutes, at least 1 and at most 15.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How many seconds devices must leave between polls; default 5, at most 60.
    #[must_use]
    pub fn interval(mut self, seconds: u32) -> Self {
        self.interval = seconds;
        self
    }

    /// The path of the verification page, below the issuer's.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of the verification page, below the issuer's; default `/device`. People may have to type it.
    #[must_use]
    pub fn verification_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        self
    }
}

impl DeviceFlow {
    pub(in crate::server) fn check(&self) -> Result<(), BuildError> {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let interval = Duration::from_secs(u64::from(self.interval));
        for (setting, given, min, max) in [
            ("device_flow lifetime", self.lifetime, minute, 15 * minute),
            ("device_flow interval", interval, second, Duration::from_secs(u64::from(MAX_INTERVAL))),
        ] {
            if given < min || given > max {
                return Err(BuildError::Duration { setting, given, min, max });
            }
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte);
        let is_path = self.path.starts_with('/') && !self.path.contains("//") && self.path.bytes().all(plain);
        if is_path { Ok(()) } else { Err(BuildError::VerificationPath(self.path.clone().into_owned())) }
    }
}

impl Default for DeviceFlow {
    fn default() -> Self {
        Self::new()
    }
}
