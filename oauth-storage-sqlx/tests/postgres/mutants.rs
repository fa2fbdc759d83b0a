//! The suite catches on this engine what it is meant to catch.

use crate::backend::Schemas;
use crate::flawed::{Flaw, Flawed, flaws_are_caught};

flaws_are_caught!(Schemas::new());
