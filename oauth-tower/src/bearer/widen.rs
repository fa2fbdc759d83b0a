//! A challenge names all the scope that a request needs, also where layers further in and further out each ask for a part
//! (RFC 6750 §3.1): a client that asked for the part alone would be refused by the other.

use std::sync::Arc;

use http::{HeaderValue, Response, header};

use super::refusal::quote;

/// What a refusal asks for, in the extensions of its answer or behind the status of a gRPC method: layers further out add their
/// own part.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the scope {0} is needed")]
pub(super) struct Needed(Arc<str>);

impl Needed {
    pub(super) fn new(needed: &str) -> Self {
        Self(needed.into())
    }
}

/// Notes what a refusal asks for.
pub(super) fn note<B>(response: &mut Response<B>, needed: &str) {
    if !needed.is_empty() {
        response.extensions_mut().insert(Needed::new(needed));
    }
}

/// Adds to a refusal from further inside what is asked for here.
pub(super) fn widen<B>(response: &mut Response<B>, asked: &str) {
    let Some(Needed(inner)) = needed(response) else { return };
    let own = asked.split(' ').filter(|token| !token.is_empty());
    let more = inner.split(' ').filter(|token| !asked.split(' ').any(|own| own == *token));
    let all = own.chain(more).collect::<Vec<_>>().join(" ");
    let challenge = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let wider = challenge.and_then(|challenge| {
        let wider = challenge.replacen(&scope(&inner), &scope(&all), 1);
        HeaderValue::try_from(wider).ok()
    });
    if let Some(wider) = wider {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, wider);
    }
    response.extensions_mut().insert(Needed(all.into()));
}

fn needed<B>(response: &mut Response<B>) -> Option<Needed> {
    let noted = response.extensions_mut().remove::<Needed>();
    #[cfg(feature = "tonic")]
    let noted = noted.or_else(|| super::tonic::needed(response.extensions()));
    noted
}

/// As it stands in a challenge. No other parameter can contain it: a quotation mark in one is escaped.
fn scope(tokens: &str) -> String {
    let mut text = ", scope=".to_owned();
    quote(&mut text, tokens);
    text
}
