//! Somebody at a browser: it keeps cookies by the rules, follows redirects on the server's origin, and sends forms.

use async_trait::async_trait;
use http::{HeaderValue, Request, header};
use oauth_tower::pages::{Credentials, CredentialsError, Identity};
use reqwest::cookie::{CookieStore, Jar};
use std::sync::Arc;
use url::Url;

use crate::{Net, Page, Reply};

/// More hops than any flow needs.
const MAX_HOPS: usize = 10;

/// Everybody whose password is `secret`; the subject is `id-` and the name.
#[derive(Clone, Copy, Debug)]
pub struct Users;

#[async_trait]
impl Credentials for Users {
    async fn check(&self, name: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok((password == "secret").then(|| Identity::new(format!("id-{name}"))))
    }
}

/// A browser. Clones are other tabs of it.
#[derive(Clone, Debug)]
pub struct Browser {
    net: Net,
    jar: Arc<Jar>,
}

/// Where a browser has come to.
#[derive(Clone, Debug)]
pub enum Landing {
    /// A page of the server's.
    Page(Page),
    /// Elsewhere: at the client's redirect URI.
    Away(Url),
}

impl Landing {
    /// The page.
    ///
    /// # Panics
    ///
    /// If the browser went elsewhere.
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Away(url) => panic!("a page was expected, not {url}"),
        }
    }

    /// Where it went.
    ///
    /// # Panics
    ///
    /// If it is still on the server's origin.
    pub fn away(self) -> Url {
        match self {
            Self::Away(url) => url,
            Self::Page(page) => panic!("a redirect to the client was expected, not {page:?}"),
        }
    }
}

impl Browser {
    /// A browser without cookies.
    pub fn new(net: &Net) -> Self {
        Self { net: net.clone(), jar: Arc::default() }
    }

    /// Opens a URL, or a path of the server's.
    pub async fn open(&self, to: &str) -> Landing {
        let url = self.net.url(to).parse().expect("a URL");
        let reply = self.send("GET", &url, None).await;
        self.follow(url, reply).await
    }

    /// Sends the form on a page, with these fields.
    ///
    /// # Panics
    ///
    /// If the form does not have one of them.
    pub async fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Landing {
        let form = page.form();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&form.hidden);
        for (name, value) in fields {
            assert!(form.has(name), "no field {name} on {page:?}");
            body.append_pair(name, value);
        }
        self.post(&form.action, &body.finish()).await
    }

    /// POST of a form that is filled in by hand.
    pub async fn post(&self, to: &Url, body: &str) -> Landing {
        let reply = self.send("POST", to, Some(body)).await;
        self.follow(to.clone(), reply).await
    }

    /// Types name and password.
    pub async fn sign_in(&self, page: &Page, name: &str) -> Landing {
        self.submit(page, &[("username", name), ("password", "secret")]).await
    }

    /// Presses "allow".
    pub async fn allow(&self, page: &Page) -> Landing {
        self.submit(page, &[("decision", "approve")]).await
    }

    /// Presses "don't allow".
    pub async fn deny(&self, page: &Page) -> Landing {
        self.submit(page, &[("decision", "deny")]).await
    }

    /// Does what the pages ask, as `name`, until the browser is back at the client.
    ///
    /// # Panics
    ///
    /// If it comes to a page that asks nothing.
    pub async fn go_through(&self, to: &str, name: &str) -> Url {
        let mut landing = self.open(to).await;
        for _ in 0..MAX_HOPS {
            landing = match landing {
                Landing::Away(url) => return url,
                Landing::Page(page) if page.is_sign_in() => self.sign_in(&page, name).await,
                Landing::Page(page) => self.allow(&page).await,
            };
        }
        panic!("the pages ask again and again: {landing:?}")
    }

    /// One request, as browsers send them: a page without a referrer posts with `Origin: null`.
    pub async fn send(&self, method: &str, url: &Url, form: Option<&str>) -> Reply {
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(cookies) = self.jar.cookies(url) {
            request = request.header(header::COOKIE, cookies);
        }
        if form.is_some() {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, "null")
                .header("sec-fetch-site", "same-origin");
        }
        let body = form.unwrap_or_default().as_bytes().to_vec();
        let reply = self.net.send(request.body(body).expect("a request")).await;
        self.keep(url, &reply);
        reply
    }

    /// The cookies that it would send to a URL.
    pub fn cookies(&self, url: &str) -> String {
        let cookies = self.jar.cookies(&url.parse().expect("a URL"));
        cookies.map(|cookies| cookies.to_str().expect("text").to_owned()).unwrap_or_default()
    }

    fn keep(&self, url: &Url, reply: &Reply) {
        let set: Vec<&HeaderValue> = reply.headers.get_all(header::SET_COOKIE).iter().collect();
        for cookie in &set {
            let text = cookie.to_str().expect("text");
            if url.scheme() == "https" {
                assert!(text.starts_with("__Host-") && text.contains("; Secure"), "{text}");
            }
            assert!(
                text.contains("; HttpOnly") && text.contains("; Path=/") && !text.contains("Domain"),
                "{text}"
            );
        }
        self.jar.set_cookies(&mut set.into_iter(), url);
    }

    async fn follow(&self, mut url: Url, mut reply: Reply) -> Landing {
        for _ in 0..MAX_HOPS {
            if !reply.status.is_redirection() {
                let html = String::from_utf8(reply.body.to_vec()).expect("UTF-8");
                return Landing::Page(Page { url, status: reply.status.as_u16(), html });
            }
            assert_eq!(reply.status, 303, "{reply:?}");
            url = url.join(reply.header("location")).expect("a URL");
            if url.origin().ascii_serialization() != self.net.origin() {
                return Landing::Away(url);
            }
            reply = self.send("GET", &url, None).await;
        }
        panic!("a redirect loop at {url}")
    }
}
