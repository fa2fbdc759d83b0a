//! A server that holds many live grants, and the bytes that each of them takes.

use contenders::{Contender, Ours, Res, request};
use futures_executor::block_on;
use serde_json::Value;

/// The tokens of one grant.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// Lets the resource owner sign in once more, up to the tokens: one more live grant.
///
/// # Panics
///
/// When the server refuses.
pub fn login(server: &mut Ours) -> Tokens {
    let code = server.code();
    let response = block_on(server.call(request::post(Ours::TOKEN, request::form::code(&code))));
    Tokens { access: member(&response, "access_token"), refresh: member(&response, "refresh_token") }
}

/// A member of an answer.
///
/// # Panics
///
/// When there is none.
pub fn member(response: &Res, name: &str) -> String {
    let answer: Value = serde_json::from_slice(response.body()).expect("JSON");
    answer[name].as_str().expect("a token").to_owned()
}
