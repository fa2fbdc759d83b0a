//! The whole contract, each handle with a pool of its own.

use oauth_core::storage::testing;

use crate::backend::Schemas;

testing::suite!(Schemas::new());
