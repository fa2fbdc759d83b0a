//! The documents of clients, and the hosts that serve them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue};
use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};

/// Documents by their URLs, and how often each was fetched. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Documents(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: HashMap<String, Result<Fetched, FetchError>>,
    fetches: Vec<String>,
}

impl Documents {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a document without headers.
    pub fn put(&self, url: &str, body: impl ToString) {
        self.answer(url, body, None);
    }

    /// Serves a document with `Cache-Control`.
    pub fn put_cached(&self, url: &str, body: impl ToString, cache_control: &'static str) {
        self.answer(url, body, Some(cache_control));
    }

    fn answer(&self, url: &str, body: impl ToString, cache_control: Option<&'static str>) {
        let mut headers = HeaderMap::new();
        headers.extend(
            cache_control.map(|value| (http::header::CACHE_CONTROL, HeaderValue::from_static(value))),
        );
        let fetched = Fetched { body: body.to_string().into_bytes(), headers };
        self.state().answers.insert(url.to_owned(), Ok(fetched));
    }

    /// Fails from now on.
    pub fn fail(&self, url: &str, error: FetchError) {
        self.state().answers.insert(url.to_owned(), Err(error));
    }

    /// How many fetches there were.
    pub fn fetches(&self) -> usize {
        self.state().fetches.len()
    }
}

#[async_trait]
impl DocumentFetcher for Documents {
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, FetchError> {
        let mut state = self.state();
        state.fetches.push(url.to_owned());
        match state.answers.get(url) {
            None => Err(FetchError::Unreachable),
            Some(Ok(fetched)) if fetched.body.len() > limit => Err(FetchError::TooLong),
            Some(answer) => answer.clone(),
        }
    }
}
