//! Tower layers over `oauth-core`.
