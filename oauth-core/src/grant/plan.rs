//! What a step wants.

use super::{Grant, Refusal};

/// What a pure step decided about a loaded grant.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Plan<T> {
    /// Store this grant, and when that has succeeded answer `T`.
    Write(Grant, T),
    /// Nothing needs to be stored: the answer is already true.
    Answer(T),
    /// Store this grant, and when that has succeeded refuse: a replay or a reuse that ends the grant.
    End(Grant, Refusal),
}
