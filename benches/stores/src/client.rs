//! A client with one grant, which it refreshes again and again.

use std::convert::Infallible;

use contenders::{Req, Res, request};
use http_body_util::BodyExt;
use oauth_tower::server::AuthorizationServerService;
use serde_json::Value;
use tower_service::Service;

/// Refreshes through the tower service, in process.
#[derive(Clone)]
pub struct Client {
    service: AuthorizationServerService,
    refresh_token: String,
}

impl Client {
    /// Signs in, redeems the code, and refreshes until the grant is as large as it gets.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn sign_in(mut service: AuthorizationServerService) -> Self {
        let redirect = answered(&mut service, request::authorize("/authorize")).await;
        let code = request::code_of(&redirect);
        let tokens = answered(&mut service, request::post("/token", request::form::code(&code))).await;
        let mut client = Self { refresh_token: refresh_token(&tokens), service };
        for _ in 0..20 {
            client.refresh().await;
        }
        client
    }

    /// One refresh.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn refresh(&mut self) {
        let form = request::form::refresh(&self.refresh_token);
        let tokens = answered(&mut self.service, request::post("/token", form)).await;
        self.refresh_token = refresh_token(&tokens);
    }
}

async fn answered(service: &mut AuthorizationServerService, request: Req) -> Res {
    let Ok::<_, Infallible>(response) = service.call(request).await;
    let (head, body) = response.into_parts();
    Res::from_parts(head, body.collect().await.expect("a body at hand").to_bytes())
}

fn refresh_token(response: &Res) -> String {
    let answer: Value = serde_json::from_slice(response.body()).expect("JSON");
    answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{}: {answer}", response.status())).to_owned()
}
