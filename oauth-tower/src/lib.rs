//! Tower layers over `oauth-core`.

pub mod endpoint;
#[cfg(feature = "pages")]
pub mod pages;
