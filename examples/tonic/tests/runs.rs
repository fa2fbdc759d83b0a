//! The example does what it says.

use std::net::Ipv4Addr;

use oauth_core::client::ClientSecret;
use oauth2::reqwest;
use serde_json::Value;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// Runs the server for as long as this takes.
async fn beside_the_server(client: impl AsyncFnOnce(&str, &ClientSecret)) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let secret = ClientSecret::generate();
    tokio::select! {
        () = client(&issuer, &secret) => {}
        ended = grpc::serve(listener, &secret) => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn grpc_http_and_the_authorization_server_on_one_port() {
    beside_the_server(async |issuer, secret| {
        let seen = grpc::client::run(issuer, secret).await.unwrap();
        assert_eq!(seen.notes, ["water the plants"]);
        assert_eq!(seen.without.code, Code::Unauthenticated);
        assert_eq!(seen.without.challenge, r#"Bearer realm="api", scope="notes:read""#);
        assert_eq!(seen.reading_only.code, Code::PermissionDenied);
        assert!(seen.reading_only.challenge.contains(r#"scope="notes:write""#));
        assert!(seen.healthy);
        assert_eq!((seen.whoami.as_str(), seen.whoami_without), ("notebook", 401));
    })
    .await;
}

/// What generic clients ask first, before they have a token.
#[tokio::test]
async fn reflection_is_open_to_all() {
    beside_the_server(async |issuer, _| {
        let channel = Endpoint::from_shared(issuer.to_owned()).unwrap().connect().await.unwrap();
        let question = ServerReflectionRequest {
            message_request: Some(MessageRequest::ListServices(String::new())),
            ..Default::default()
        };
        let questions = tokio_stream::once(question);
        let answers = ServerReflectionClient::new(channel).server_reflection_info(questions).await.unwrap();
        let answer = answers.into_inner().message().await.unwrap().unwrap().message_response;
        let Some(MessageResponse::ListServicesResponse(services)) = answer else { panic!("{answer:?}") };
        assert!(services.service.iter().any(|service| service.name == "notes.Notes"));
    })
    .await;
}

/// As a browser speaks it: over HTTP/1.1, from a page of another origin, with the trailers in the body.
#[tokio::test]
async fn grpc_web_on_the_same_port() {
    beside_the_server(async |issuer, secret| {
        let http = reqwest::Client::builder().http1_only().no_proxy().build().unwrap();
        let from_page = |request: reqwest::RequestBuilder| request.header("origin", "https://app.example");
        let list = format!("{issuer}/notes.Notes/List");

        let preflight = http.request(reqwest::Method::OPTIONS, &list);
        let preflight = preflight.header("access-control-request-method", "POST");
        let allowed =
            from_page(preflight).header("access-control-request-headers", "authorization,x-grpc-web");
        let allowed = allowed.send().await.unwrap();
        assert_eq!(allowed.status().as_u16(), 204);
        let names = allowed.headers()["access-control-allow-headers"].to_str().unwrap().to_lowercase();
        assert!(names.contains("authorization") && names.contains("x-grpc-web"), "{names}");

        // One message of no bytes.
        let call =
            from_page(http.post(&list)).header("content-type", "application/grpc-web+proto").body(vec![0; 5]);
        let refused = call.try_clone().unwrap().send().await.unwrap();
        assert_eq!(refused.status().as_u16(), 200);
        assert_eq!(refused.headers()["grpc-status"], "16");
        assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("application/grpc-web"));
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().contains("notes:read"));
        let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
        for name in ["grpc-status", "grpc-message", "www-authenticate"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        assert!(refused.bytes().await.unwrap().is_empty());

        grpc::client::run(issuer, secret).await.unwrap();
        let token = http.post(format!("{issuer}/token")).basic_auth("notebook", Some(secret.expose()));
        let token = token.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
        let token: Value = serde_json::from_slice(&token.bytes().await.unwrap()).unwrap();
        let listed = call.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(listed.headers()["access-control-allow-origin"], "*");
        let body = listed.bytes().await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("water the plants") && body.contains("grpc-status:0"), "{body:?}");
    })
    .await;
}
