//! What the test says to a server process, and what that answers: a line each, words parted by spaces.

use std::str::FromStr;

use crate::store_call::StoreCall;

/// A request. Words hold no spaces: tokens, codes, numbers, base64url.
#[derive(Clone, Debug)]
pub enum Request {
    /// A subject approves; the answer is a code.
    Approve(String),
    /// A code is redeemed; the answer is an access token and a refresh token.
    Redeem(String),
    /// A refresh token is used; the answer is as for a code.
    Refresh(String),
    /// A token is revoked.
    Revoke(String),
    /// Whether an access token works.
    Verify(String),
    /// A call of the store itself.
    Store(StoreCall),
}

/// An answer. A process that dies gives none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It happened; with what it gave.
    Done(Vec<String>),
    /// It was refused for good: `invalid_grant`, a token that does not work, a stale version.
    Refused,
    /// It failed, and may have happened.
    Failed(String),
}

impl Request {
    /// The line.
    pub fn to_line(&self) -> String {
        match self {
            Self::Approve(subject) => format!("approve {subject}"),
            Self::Redeem(code) => format!("redeem {code}"),
            Self::Refresh(token) => format!("refresh {token}"),
            Self::Revoke(token) => format!("revoke {token}"),
            Self::Verify(token) => format!("verify {token}"),
            Self::Store(call) => call.to_line(),
        }
    }
}

impl FromStr for Request {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split(' ').collect();
        Ok(match *words.as_slice() {
            ["approve", subject] => Self::Approve(subject.to_owned()),
            ["redeem", code] => Self::Redeem(code.to_owned()),
            ["refresh", token] => Self::Refresh(token.to_owned()),
            ["revoke", token] => Self::Revoke(token.to_owned()),
            ["verify", token] => Self::Verify(token.to_owned()),
            _ => Self::Store(StoreCall::of(&words).ok_or_else(|| format!("not a request: {line}"))?),
        })
    }
}

impl Answer {
    /// The line.
    pub fn to_line(&self) -> String {
        match self {
            Self::Done(words) => format!("done {}", words.join(" ")),
            Self::Refused => "refused".to_owned(),
            Self::Failed(why) => format!("failed {why}"),
        }
    }
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("done", words) => {
                Ok(Self::Done(words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()))
            }
            ("refused", "") => Ok(Self::Refused),
            ("failed", why) => Ok(Self::Failed(why.to_owned())),
            _ => Err(format!("not an answer: {line}")),
        }
    }
}
