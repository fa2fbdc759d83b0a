//! The harness of the durability tests: a server in a process of its own that can be killed, a client that remembers every
//! answer, files as of their last sync, and a checker of concurrent histories.

mod client;
mod history;
mod open;
mod protocol;
mod remote;
mod replica;
mod service;
mod store_call;
mod synced;

pub use client::{Client, Report};
pub use history::{Event, History, Operation, Violation};
pub use open::{Role, open};
pub use protocol::{Answer, Request};
pub use remote::RemoteStore;
pub use replica::{Replica, Setup};
pub use service::Service;
pub use store_call::{By, StoreCall};
pub use synced::Synced;
