//! Fetches JSON documents that strangers name, and reaches nothing that a server must not reach.
//!
//! 1. `https` only, on the ports that are allowed; the certificate is checked.
//! 2. The addresses of a host are looked up once, all of them are checked, and the connection goes to one that was checked: a
//!    name that changes its mind gains nothing. Every address of the IANA special-purpose registries is refused.
//! 3. No redirects, no proxy of the environment, no cookies, no credentials, no `Referer`.
//! 4. Size, time, fetches in flight and fetches in flight to one host are bounded. Those who ask for one document at the same
//!    time share one fetch.
//!
//! ```
//! use oauth_fetch::Fetcher;
//!
//! let fetcher = Fetcher::new();
//! # let _ = fetcher;
//! ```

mod address;
mod builder;
mod connect;
mod exchange;
mod fetcher;
mod resolve;
mod target;

pub use address::is_public;
pub use builder::FetcherBuilder;
pub use fetcher::Fetcher;
pub use resolve::{Resolve, SystemResolver};
