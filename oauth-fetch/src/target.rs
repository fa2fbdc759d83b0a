//! What a URL asks for, and whether it may.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use oauth_core::fetch::FetchError;
use url::{Host, Url};

use crate::is_public;

/// A URL that may be fetched, taken apart.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) https: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
    /// Of the `Host` header.
    pub(crate) authority: String,
    pub(crate) path_and_query: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetHost {
    /// Its addresses have to be looked up.
    Name(String),
    /// One that was checked.
    Address(IpAddr),
}

impl Target {
    /// Reads a URL as browsers do, so that no notation of an address is missed.
    pub(crate) fn parse(url: &str, ports: &[u16], loopback: bool) -> Result<Self, FetchError> {
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if !url.bytes().all(visible) {
            return Err(FetchError::Url);
        }
        let parsed = Url::parse(url).map_err(|_| FetchError::Url)?;
        let https = match parsed.scheme() {
            "https" => true,
            "http" if loopback => false,
            _ => return Err(FetchError::Url),
        };
        let authority = url.split("://").nth(1).unwrap_or_default();
        let authority = &authority[..authority.find(['/', '?', '#']).unwrap_or(authority.len())];
        // The text finds an empty user name, the parser one behind fewer or more slashes than two.
        let user = authority.contains('@') || !parsed.username().is_empty() || parsed.password().is_some();
        if user || parsed.fragment().is_some() {
            return Err(FetchError::Url);
        }
        let (host, is_loopback) = match parsed.host().ok_or(FetchError::Url)? {
            Host::Domain("localhost") => (TargetHost::Address(Ipv4Addr::LOCALHOST.into()), true),
            Host::Domain(name) => (TargetHost::Name(name.to_owned()), false),
            Host::Ipv4(address) => (TargetHost::Address(address.into()), address == Ipv4Addr::LOCALHOST),
            Host::Ipv6(address) => (TargetHost::Address(address.into()), address == Ipv6Addr::LOCALHOST),
        };
        let port = parsed.port_or_known_default().ok_or(FetchError::Url)?;
        if is_loopback {
            if !loopback {
                return Err(FetchError::Address);
            }
        } else if !https || !ports.contains(&port) {
            return Err(FetchError::Url);
        } else if matches!(&host, TargetHost::Address(address) if !is_public(*address)) {
            return Err(FetchError::Address);
        }
        let authority = match parsed.port() {
            Some(port) => format!("{}:{port}", parsed.host_str().unwrap_or_default()),
            None => parsed.host_str().unwrap_or_default().to_owned(),
        };
        let query = parsed.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path_and_query = format!("{}{query}", parsed.path());
        Ok(Self { https, host, port, authority, path_and_query })
    }

    /// The name that a certificate must have.
    pub(crate) fn server_name(&self) -> &str {
        let host = match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.authority.split(':').next(),
        };
        host.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, FetchError> {
        Target::parse(url, &[443, 8443], false)
    }

    #[test]
    fn takes_public_https() {
        let target = parse("https://c.example:8443/a/b?c=d").unwrap();
        assert_eq!(
            (target.authority.as_str(), target.path_and_query.as_str()),
            ("c.example:8443", "/a/b?c=d")
        );
        assert_eq!((target.port, target.server_name()), (8443, "c.example"));
        assert_eq!(parse("https://c.example").unwrap().path_and_query, "/");
        assert_eq!(parse("https://[2606:4700::1111]/x").unwrap().server_name(), "2606:4700::1111");
    }

    #[test]
    fn refuses_other_urls() {
        for url in [
            "",
            "c.example",
            "http://c.example/x",
            "ftp://c.example/x",
            "file:///etc/passwd",
            "data:,x",
            "https://u@c.example/",
            "https://u:p@c.example/",
            "https://@c.example/",
            "https:u@c.example/",
            "https:/u:p@c.example/",
            "https:///u@c.example/",
            "https://[2606:4700::1111%25eth0]/",
            "https://[fe80::1%eth0]/",
            "https://c.example:443.0/",
            "https://c.example:99999/",
            "https://256.256.256.256/",
            "https://1.2.3.4.5/",
            "https://c.example:22/",
            "https://c.example:80/",
            "https://c.example/#f",
            "https://c.example\\@127.0.0.1/",
            " https://c.example/",
            "https://c.example/a b",
            "https://",
            "gopher://c.example/",
            "https://é.example/",
        ] {
            assert_eq!(parse(url).unwrap_err(), FetchError::Url, "{url}");
        }
    }

    #[test]
    fn cm_03_refuses_private_addresses_in_every_notation() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "0x7f000001",
            "017700000001",
            "localhost",
            "LOCALHOST",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fec0::1]",
            "[2001:db8::1]",
            "[fe80::1]",
            "[fc00::1]",
            "[ff02::1]",
            "10.0.0.1",
            "0",
            "169.254.169.254",
            "%31%32%37.0.0.1",
            "127.0.0.1.",
        ] {
            let url = format!("https://{host}/c");
            assert_eq!(parse(&url).unwrap_err(), FetchError::Address, "{url}");
        }
    }

    #[test]
    fn cm_21_loopback_in_development_only_by_its_own_names() {
        let parse = |url: &str| Target::parse(url, &[443], true);
        for url in
            ["http://127.0.0.1:8080/c", "http://localhost:1/c", "https://[::1]:9/c", "http://[::1]:9/c"]
        {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in ["http://10.0.0.1/c", "https://10.0.0.1/c", "https://127.0.0.2/c", "http://c.example/c"] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
