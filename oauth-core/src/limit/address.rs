//! By how much of an address somebody is counted.

use std::net::IpAddr;

/// The part of an address that one subscriber holds: a whole IPv4 address, or the first 64 bits of an IPv6 address. The first
/// 56 bits, which many subscribers hold too, are [`AddressPrefix::wider`] and get four times the quota.
///
/// An IPv4 address that is written as an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressPrefix {
    bits: u128,
    length: u8,
}

/// Where a request comes from, in the extensions of its head: what [`Server::authorize`](crate::server::Server::authorize) counts
/// by. The layers of `oauth-tower` put it there; without it, what is counted by address is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestAddress(pub IpAddr);

impl RequestAddress {
    /// The address in these extensions.
    pub fn of(extensions: &http::Extensions) -> Option<IpAddr> {
        extensions.get::<Self>().map(|own| own.0)
    }

    /// Says it to whoever comes next, instead of what was said before.
    pub fn put(extensions: &mut http::Extensions, address: Option<IpAddr>) {
        match address {
            Some(address) => drop(extensions.insert(Self(address))),
            None => drop(extensions.remove::<Self>()),
        }
    }
}

/// Set in the length of an IPv4 prefix, so that it equals no IPv6 prefix.
const V4: u8 = 0x80;

impl AddressPrefix {
    /// The prefix of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self { bits: u128::from(v4.to_bits()), length: V4 | 32 },
            IpAddr::V6(v6) => Self { bits: v6.to_bits() >> 64, length: 64 },
        }
    }

    /// The wider prefix of an IPv6 address.
    pub fn wider(self) -> Option<Self> {
        (self.length == 64).then_some(Self { bits: self.bits >> 8, length: 56 })
    }

    /// The prefix as bytes, for ids.
    pub(super) fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [self.length; 17];
        bytes[1..].copy_from_slice(&self.bits.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> AddressPrefix {
        AddressPrefix::of(text.parse().unwrap())
    }

    #[test]
    fn ex_05_one_subscriber_is_one_prefix() {
        assert_eq!(prefix("2001:db8:0:1::1"), prefix("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(prefix("2001:db8:0:1::1"), prefix("2001:db8:0:2::1"));
        assert_eq!(prefix("2001:db8:0:1::1").wider(), prefix("2001:db8:0:ff::1").wider());
        assert_ne!(prefix("2001:db8:0:1::1").wider(), prefix("2001:db8:0:100::1").wider());
        assert_eq!(prefix("::ffff:192.0.2.1"), prefix("192.0.2.1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
        assert_eq!(prefix("192.0.2.1").wider(), None);
        // The same bits in another family or width are another prefix.
        assert_ne!(prefix("0.0.0.1").to_bytes(), prefix("0:0:0:1::").to_bytes());
        assert_ne!(prefix("0:0:0:1::").to_bytes(), prefix("0:0:0:100::").wider().unwrap().to_bytes());
    }
}
