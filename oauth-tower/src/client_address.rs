//! Where a request comes from, for rate limits.
//!
//! By default that is the peer of the connection, as the HTTP server has put it into the request's extensions. A header says it
//! only where the host has named its proxies: anybody can send `X-Forwarded-For`.
//!
//! In axum, serve the app by `into_make_service_with_connect_info::<SocketAddr>()`; with another server, insert a
//! [`std::net::SocketAddr`] into the extensions. Where nothing is known, what is counted by address is not limited; an event at
//! level `WARN` says so once.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;

use http::{Extensions, HeaderMap, HeaderName};

/// Says where a request comes from.
///
/// # Security
///
/// An answer that the client can choose is as good as no limit, and lets it use up the limits of others.
pub trait ClientAddress: fmt::Debug + Send + Sync + 'static {
    /// The address; `None` where it is not known.
    fn client_address(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr>;
}

/// The peer of the connection: right where clients reach this server without a proxy. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerAddress;

impl ClientAddress for PeerAddress {
    fn client_address(&self, _headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        #[cfg(feature = "axum")]
        if let Some(peer) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
            return Some(peer.0.ip());
        }
        extensions.get::<SocketAddr>().map(SocketAddr::ip)
    }
}

/// What the host's own proxies say in `X-Forwarded-For`, or in another header of that form.
///
/// Each proxy adds, on the right, the address that it was called from. So with N of them the address of the client is the Nth
/// from the right; what stands further left was sent by the client, and counts for nothing. A request with fewer addresses has
/// not come through all the proxies: its peer is its address.
///
/// # Security
///
/// Every way to this server must lead through that many proxies.
#[derive(Clone, Debug)]
pub struct ForwardedFor {
    header: HeaderName,
    proxies: NonZero<usize>,
}

impl ForwardedFor {
    /// Behind that many proxies in a row, each of which adds to `X-Forwarded-For`.
    ///
    /// # Panics
    ///
    /// If it is zero: that is [`PeerAddress`].
    pub fn behind(proxies: usize) -> Self {
        let proxies = NonZero::new(proxies).expect("at least one proxy; without any, use PeerAddress");
        Self { header: HeaderName::from_static("x-forwarded-for"), proxies }
    }

    /// The header that the proxies add to. One that they replace, such as `X-Real-IP`, is read with one proxy.
    #[must_use]
    pub fn header(mut self, header: HeaderName) -> Self {
        self.header = header;
        self
    }
}

impl ClientAddress for ForwardedFor {
    fn client_address(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        let values: Vec<&[u8]> = headers
            .get_all(&self.header)
            .iter()
            .flat_map(|value| value.as_bytes().split(|b| *b == b','))
            .collect();
        let named = values.len().checked_sub(self.proxies.get()).and_then(|at| parse(values[at]));
        named.or_else(|| PeerAddress.client_address(headers, extensions))
    }
}

/// An address, with or without a port, in brackets or not.
fn parse(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    let bare = || text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse();
    text.parse::<SocketAddr>().map(|socket| socket.ip()).or_else(|_| bare()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "192.0.2.9:4711";

    fn address(source: &impl ClientAddress, forwarded: &[&'static str]) -> String {
        let (mut headers, mut extensions) = (HeaderMap::new(), Extensions::new());
        for value in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_static(value));
        }
        extensions.insert(PEER.parse::<SocketAddr>().unwrap());
        source.client_address(&headers, &extensions).unwrap().to_string()
    }

    #[test]
    fn ex_05_a_header_counts_only_as_far_as_the_proxies_wrote_it() {
        let peer = "192.0.2.9";
        assert_eq!(address(&PeerAddress, &["198.51.100.1"]), peer);
        let one = ForwardedFor::behind(1);
        assert_eq!(address(&one, &["203.0.113.7, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(address(&one, &["203.0.113.7", "198.51.100.1"]), "198.51.100.1");
        let two = ForwardedFor::behind(2);
        assert_eq!(address(&two, &["203.0.113.7, 198.51.100.1,10.0.0.1"]), "198.51.100.1");
        assert_eq!(address(&two, &["198.51.100.1"]), peer);
        assert_eq!(address(&one, &[]), peer);
        assert_eq!(address(&one, &["203.0.113.7, unknown"]), peer);
    }

    #[test]
    fn addresses_come_with_and_without_ports() {
        let one = ForwardedFor::behind(1);
        for (text, parsed) in [
            ("198.51.100.1:99", "198.51.100.1"),
            ("[2001:db8::1]:99", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(address(&one, &[text]), parsed);
        }
        assert_eq!(PeerAddress.client_address(&HeaderMap::new(), &Extensions::new()), None);
    }
}
