//! A client with some grants, which it refreshes in turn.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use contenders::{Req, Res, ours_on, request};
use http_body_util::BodyExt;
use oauth_core::clock::{Clock, SystemClock, Timestamp};
use oauth_core::storage::Store;
use oauth_tower::server::AuthorizationServerService;
use tower_service::Service;

/// Refreshes through the tower service, in process.
pub struct Client {
    service: AuthorizationServerService,
    refresh_tokens: VecDeque<String>,
}

impl Client {
    /// Signs in so many times at [`service`], redeems the codes, and refreshes each grant once its first token is over.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn sign_in(mut service: AuthorizationServerService, grants: usize) -> Self {
        let mut refresh_tokens = VecDeque::new();
        for _ in 0..grants {
            let redirect = answered(&mut service, request::authorize("/authorize")).await;
            let code = request::code_of(&redirect);
            let tokens = answered(&mut service, request::post("/token", request::form::code(&code))).await;
            refresh_tokens.push_back(refresh_token(&tokens));
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        let mut client = Self { service, refresh_tokens };
        for _ in 0..grants {
            client.refresh().await;
        }
        client
    }

    /// One refresh, of the grant that was refreshed the longest time ago.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn refresh(&mut self) {
        let token = self.refresh_tokens.pop_front().expect("it has grants");
        // A token has no character that a form would escape.
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let tokens = answered(&mut self.service, request::post("/token", form)).await;
        self.refresh_tokens.push_back(refresh_token(&tokens));
    }
}

/// A server on the store whose access tokens live for a second of a clock that hurries: a client refreshes when its last token is
/// over, so a grant holds one or two of them.
pub fn service(store: impl Store) -> AuthorizationServerService {
    let clock = Hurried { start: SystemClock.now() };
    ours_on(store, |builder| builder.clock(clock).access_token_lifetime(Duration::from_secs(1))).1
}

/// Runs fifty times as fast as time does.
#[derive(Debug)]
struct Hurried {
    start: Timestamp,
}

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        self.start + 50 * SystemClock.now().since(self.start)
    }
}

async fn answered(service: &mut AuthorizationServerService, request: Req) -> Res {
    let Ok::<_, Infallible>(response) = service.call(request).await;
    let (head, body) = response.into_parts();
    Res::from_parts(head, body.collect().await.expect("a body at hand").to_bytes())
}

/// Found rather than parsed: the processor is the server's.
fn refresh_token(response: &Res) -> String {
    let answer = str::from_utf8(response.body()).expect("JSON");
    let (_, rest) = answer
        .split_once(r#""refresh_token":""#)
        .unwrap_or_else(|| panic!("{}: {answer}", response.status()));
    rest.split_once('"').expect("JSON").0.to_owned()
}
