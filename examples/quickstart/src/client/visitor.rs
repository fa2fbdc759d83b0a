//! What the app knows of its visitors: sign-ins that are under way, and tokens. They never leave the server.

use std::collections::HashMap;
use std::error::Error;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use oauth2::CsrfToken;
use serde::{Deserialize, Serialize};

use super::oauth::{Outcome, Tokens, Waiting};
use crate::place::Place;
use crate::saved::Saved;

const COOKIE_NAME: &str = "notebook";
/// Sign-ins that one visitor may have under way, in as many tabs.
const MAX_WAITING: usize = 8;
const MAX_VISITORS: usize = 1000;

pub(super) struct Visitors(Saved<HashMap<String, Visitor>>);

#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Visitor {
    waiting: Vec<Waiting>,
    pub(super) tokens: Option<Tokens>,
    #[serde(skip)]
    pub(super) last: Option<Outcome>,
}

impl Visitor {
    pub(super) fn wait(&mut self, waiting: Waiting) {
        if self.waiting.len() == MAX_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(waiting);
    }
}

impl Visitors {
    pub(super) fn open(place: &Place) -> Result<Self, Box<dyn Error>> {
        place.saved("visitors.json").map(Self)
    }

    /// The id in the cookie, if it is one of ours.
    pub(super) fn known(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, id) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
        self.0.read(|visitors| visitors.contains_key(id)).then(|| id.to_owned())
    }

    /// The id of this visitor, and whether it is a new one.
    pub(super) fn identify(&self, headers: &HeaderMap) -> (String, bool) {
        if let Some(id) = self.known(headers) {
            return (id, false);
        }
        let id = CsrfToken::new_random_len(32).into_secret();
        self.0.write(|visitors| {
            if visitors.len() == MAX_VISITORS {
                visitors.clear();
            }
            visitors.insert(id.clone(), Visitor::default());
        });
        (id, true)
    }

    pub(super) fn get(&self, headers: &HeaderMap) -> Visitor {
        let id = self.known(headers);
        id.and_then(|id| self.0.read(|visitors| visitors.get(&id).cloned())).unwrap_or_default()
    }

    pub(super) fn update(&self, id: &str, change: impl FnOnce(&mut Visitor)) {
        self.0.write(|visitors| visitors.get_mut(id).map(change));
    }

    /// Ends the wait for an answer with that state: it is taken once.
    pub(super) fn take(&self, id: &str, state: &str) -> Option<Waiting> {
        self.0.write(|visitors| {
            let waiting = &mut visitors.get_mut(id)?.waiting;
            let at = waiting.iter().position(|waiting| waiting.state == state)?;
            Some(waiting.remove(at))
        })
    }
}

/// `SameSite=Lax` also keeps other sites from pressing this app's buttons.
pub(super) fn cookie(id: &str) -> String {
    format!("{COOKIE_NAME}={id}; Path=/; HttpOnly; SameSite=Lax")
}
