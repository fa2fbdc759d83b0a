//! Mistakes in what is said of a remote issuer.

/// Why a verifier for a remote issuer could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteIssuerError {
    /// An address that is no URL, or plain `http` to another machine.
    #[error("an address is not https")]
    Insecure,
    /// Static keys of which none is usable.
    #[error("none of the keys is usable")]
    Keys,
    /// No issuer, or two of the same name.
    #[error("no issuer, or one issuer twice")]
    Issuers,
}
