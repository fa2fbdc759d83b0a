//! A browser: it keeps cookies, and the app knows who sits at it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;

use crate::{Reply, World, encode};

/// A browser with its cookies. `user` is who is signed in to the host of [`World::new`]; the built-in pages know by cookie.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// Names and values.
    pub cookies: BTreeMap<String, String>,
    /// Who is signed in.
    pub user: Option<String>,
    /// When they authenticated, in seconds since the epoch, if not at [`START`](crate::START).
    pub authenticated_at: Option<i64>,
    /// The host's session.
    pub session: Option<String>,
    /// Headers that it adds to every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// A browser where nobody is signed in.
    pub fn new() -> Self {
        Self::default()
    }

    /// A browser where somebody is signed in.
    pub fn signed_in(user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..Self::default() }
    }

    /// The same browser, which adds a header to every request.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// GET.
    pub async fn get(&mut self, world: &World, uri: &str) -> Reply {
        self.send(world, Method::GET, uri, None, "").await
    }

    /// The authorization request.
    pub async fn authorize(&mut self, world: &World, query: impl std::fmt::Display) -> Reply {
        self.get(world, &format!("/authorize?{query}")).await
    }

    /// POST of a form by a page of the same origin.
    pub async fn post(&mut self, world: &World, uri: &str, form: &str) -> Reply {
        self.send(world, Method::POST, uri, Some("application/x-www-form-urlencoded"), form).await
    }

    /// The answer to a consent page.
    pub async fn decide(&mut self, world: &World, page: &Reply, decision: &str) -> Reply {
        assert_eq!(page.status, 200, "{page:?}");
        let form = format!("ticket={}&decision={decision}", encode(&page.field("ticket")));
        self.post(world, "/authorize", &form).await
    }

    /// The authorization request and "allow", where that has to be asked.
    pub async fn approve(&mut self, world: &World, query: impl std::fmt::Display) -> Reply {
        let page = self.authorize(world, query).await;
        if page.status == 303 {
            return page;
        }
        self.decide(world, &page, "approve").await
    }

    /// Any request.
    pub async fn send(
        &mut self,
        world: &World,
        method: Method,
        uri: &str,
        media_type: Option<&str>,
        body: &str,
    ) -> Reply {
        let reply = world.send(self.request(method, uri, media_type, body)).await;
        self.keep(&reply);
        reply
    }

    /// The request as this browser would send it.
    pub fn request(
        &self,
        method: Method,
        uri: &str,
        media_type: Option<&str>,
        body: &str,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(uri);
        if !self.cookies.is_empty() {
            request = request.header("cookie", self.cookie_header());
        }
        let known = [("x-user", &self.user), ("x-session", &self.session)];
        for (name, value) in known {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(time) = self.authenticated_at {
            request = request.header("x-authenticated-at", time);
        }
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::from(body.to_owned())).expect("a request")
    }

    /// The `Cookie` header.
    pub fn cookie_header(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Keeps the cookies of an answer as a browser would: `__Host-` ones only with all that the prefix demands.
    pub fn keep(&mut self, reply: &Reply) {
        for cookie in reply.headers.get_all("set-cookie").iter().map(HeaderValue::to_str) {
            let cookie = cookie.expect("cookie text");
            let mut parts = cookie.split(';').map(str::trim);
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            let attributes: Vec<_> = parts.collect();
            let has = |attribute: &str| attributes.iter().any(|own| own.eq_ignore_ascii_case(attribute));
            assert!(name.starts_with("__Host-") && has("Secure") && has("Path=/"), "{cookie}");
            assert!(!attributes.iter().any(|own| own.to_ascii_lowercase().starts_with("domain")), "{cookie}");
            if value.is_empty() || has("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
