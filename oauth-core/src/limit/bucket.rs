//! What is counted: one bucket for each thing that a rule counts by.

use std::net::IpAddr;

use super::{AddressPrefix, Quota, Rule};
use crate::handle::IdContext;

static BUCKET: IdContext = IdContext::new("oauth-core v1 rate limit");

/// What attempts are counted by.
#[derive(Clone, Copy, Debug)]
pub enum LimitBy<'a> {
    /// Where they come from.
    Address(IpAddr),
    /// The client that they name, or the host of its document.
    Client(&'a str),
    /// The account that they name.
    Account(&'a str),
    /// The account that they name, from where they come.
    AccountAt(&'a str, IpAddr),
    /// The account that they name, from a browser that has been signed in to it before.
    AccountIn(&'a str, &'a [u8]),
    /// What they present: a token, a code, the id of a grant.
    Credential(&'a [u8]),
}

/// The attempts that are left to somebody under a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The rule that counts.
    pub rule: Rule,
    /// What is counted by, as a digest that says nothing else: the same in every process and after every restart.
    pub id: [u8; 16],
    /// How many attempts there are.
    pub quota: Quota,
}

impl Bucket {
    /// The buckets that an attempt is taken from: one, or two for an IPv6 address.
    pub fn of(rule: Rule, by: &LimitBy<'_>, quota: Quota) -> Vec<Self> {
        let bucket = |kind: u8, parts: [&[u8]; 2], quota| Self {
            rule,
            id: BUCKET.id(&[&[rule as u8, kind], parts[0], parts[1]]),
            quota,
        };
        let at = |kind, text: &[u8], address| {
            let prefix = AddressPrefix::of(address);
            let own = bucket(kind, [text, &prefix.to_bytes()], quota);
            let wider = prefix.wider().map(|wider| bucket(kind, [text, &wider.to_bytes()], quota.times(4)));
            std::iter::once(own).chain(wider).collect()
        };
        match by {
            LimitBy::Address(address) => at(1, b"", *address),
            LimitBy::AccountAt(account, address) => at(2, account.as_bytes(), *address),
            LimitBy::Client(client) => vec![bucket(3, [client.as_bytes(), b""], quota)],
            LimitBy::Account(account) => vec![bucket(4, [account.as_bytes(), b""], quota)],
            LimitBy::AccountIn(account, browser) => vec![bucket(5, [account.as_bytes(), browser], quota)],
            LimitBy::Credential(bytes) => vec![bucket(6, [bytes, b""], quota)],
        }
    }
}
