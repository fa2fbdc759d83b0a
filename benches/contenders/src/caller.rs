//! Prepares requests, and checks once that they work.

use futures_executor::block_on;
use http::StatusCode;
use serde_json::Value;

use crate::{Contender, Path, Req, Res, request};

/// How many codes or refresh tokens are issued at once, and then spent in that order: so many others were written since each
/// of them was.
const AGE: usize = 4_096;

/// A contender, and what it takes to send it any number of requests of one path.
pub struct Caller<C> {
    contender: C,
    path: Path,
    token: String,
    waiting: Vec<String>,
}

impl<C: Contender> Caller<C> {
    /// A fresh contender that holds one grant with one access token.
    ///
    /// # Panics
    ///
    /// When a request of this path does not answer 200 with what it should.
    pub fn new(path: Path) -> Self {
        let mut caller = Self { contender: C::new(), path, token: String::new(), waiting: Vec::new() };
        let tokens = caller.exchange();
        caller.token = match path {
            Path::Jwt => caller.contender.jwt(),
            _ => tokens["access_token"].as_str().expect("an access token").to_owned(),
        };
        caller.check();
        caller
    }

    /// The body of the next form; for [`Path::Bearer`] and [`Path::Jwt`], which have none, the token.
    pub fn form(&mut self) -> String {
        match self.path {
            Path::ClientCredentials => request::form::client_credentials(),
            Path::Code | Path::Refresh => {
                if self.waiting.is_empty() {
                    self.waiting = (0..AGE).map(|_| self.fresh()).collect();
                    self.waiting.reverse();
                }
                self.waiting.pop().expect("just filled")
            }
            Path::Introspection => request::form::introspection(&self.token),
            Path::Bearer | Path::Jwt => self.token.clone(),
        }
    }

    /// A form that works once.
    fn fresh(&mut self) -> String {
        if self.path == Path::Code {
            return request::form::code(&self.contender.code());
        }
        let tokens = self.exchange();
        request::form::refresh(tokens["refresh_token"].as_str().expect("a refresh token"))
    }

    /// The next request.
    pub fn request(&mut self) -> Req {
        match self.path {
            Path::Bearer => request::resource("/resource", &self.token),
            Path::Jwt => request::resource("/jwt", &self.token),
            Path::Introspection => request::post(C::INTROSPECTION, self.form()),
            Path::ClientCredentials | Path::Code | Path::Refresh => request::post(C::TOKEN, self.form()),
        }
    }

    /// Sends a request and reads the answer.
    pub fn send(&mut self, request: Req) -> Res {
        match self.path {
            Path::Bearer => block_on(self.contender.resource(request)),
            Path::Jwt => block_on(self.contender.jwt_resource(request)),
            _ => block_on(self.contender.call(request)),
        }
    }

    /// The contender, to serve it.
    pub fn contender(&self) -> &C {
        &self.contender
    }

    fn exchange(&mut self) -> Value {
        let code = self.contender.code();
        let response = block_on(self.contender.call(request::post(C::TOKEN, request::form::code(&code))));
        json(C::NAME, &response)
    }

    fn check(&mut self) {
        let request = self.request();
        let response = self.send(request);
        if matches!(self.path, Path::Bearer | Path::Jwt) {
            assert_eq!(response.status(), StatusCode::OK, "{} {}", C::NAME, self.path.name());
            return;
        }
        let answer = json(C::NAME, &response);
        match self.path {
            Path::Introspection => assert_eq!(answer["active"], true, "{}", C::NAME),
            Path::ClientCredentials => assert!(answer["access_token"].is_string(), "{}", C::NAME),
            _ => {
                assert!(answer["access_token"].is_string(), "{}", C::NAME);
                assert!(answer["refresh_token"].is_string(), "{}", C::NAME);
            }
        }
    }
}

fn json(name: &str, response: &Res) -> Value {
    assert_eq!(response.status(), StatusCode::OK, "{name}: {:?}", response.body());
    serde_json::from_slice(response.body()).expect("JSON")
}
