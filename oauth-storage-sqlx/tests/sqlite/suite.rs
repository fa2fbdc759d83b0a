//! The whole contract, on files, each handle with a pool of its own.

use oauth_core::storage::testing;

use crate::backend::Files;

testing::suite!(Files::new());
