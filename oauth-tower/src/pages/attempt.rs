//! One attempt to sign in, counted before the password is looked at and given back where it was right.

use std::net::IpAddr;

use http::HeaderValue;
use http::request::Parts;
use oauth_core::limit::{LimitBy, RequestAddress, Rule};
use oauth_core::server::{RateLimited, Server};

use super::known_browser::KnownBrowser;

/// Who tries what, from where.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    server: &'a Server,
    /// As it counts: names that differ by case or spaces around them are one account to most hosts.
    account: String,
    address: Option<IpAddr>,
    known: Option<KnownBrowser>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(server: &'a Server, head: &Parts, username: &str) -> Self {
        let account = username.trim().to_lowercase();
        let known = KnownBrowser::read(server, head, &account);
        Self { server, account, address: RequestAddress::of(&head.extensions), known }
    }

    /// # Errors
    ///
    /// When there were too many wrong ones.
    pub(super) async fn take(&self) -> Result<(), RateLimited> {
        self.server.limits().take(&self.counted()).await
    }

    /// It was no wrong password.
    pub(super) async fn put_back(&self) {
        self.server.limits().put_back(&self.counted()).await;
    }

    /// The `Set-Cookie` value by which the browser is known from now on.
    pub(super) fn remember(&self) -> HeaderValue {
        KnownBrowser::remember(self.server, self.known, &self.account)
    }

    fn counted(&self) -> Vec<(Rule, LimitBy<'_>)> {
        let mut counted = Vec::with_capacity(3);
        if let Some(known) = &self.known {
            counted.push((Rule::SignInKnownBrowser, LimitBy::AccountIn(&self.account, &known.0)));
            return counted;
        }
        if let Some(address) = self.address {
            counted.push((Rule::SignInAddress, LimitBy::Address(address)));
            counted.push((Rule::SignInAccountAtAddress, LimitBy::AccountAt(&self.account, address)));
        }
        counted.push((Rule::SignInAccount, LimitBy::Account(&self.account)));
        counted
    }
}
