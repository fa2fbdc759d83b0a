//! Where clients look for metadata, in any order: what is there is right, and what is not there is 404 in JSON.

use oauth_core::metadata::Endpoint;
use scenario_tests::Reply;

use super::*;

/// What clients try for an issuer with a path, and for one without. The first that answers 200 counts.
const WITH_PATH: [&str; 4] = [
    "/.well-known/oauth-authorization-server/t1",
    "/.well-known/openid-configuration/t1",
    "/t1/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];
const WITHOUT: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// All orders of so few things.
fn orders(of: &[&'static str]) -> Vec<Vec<&'static str>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in of {
        let rest: Vec<_> = of.iter().copied().filter(|own| own != first).collect();
        all.extend(orders(&rest).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    all
}

async fn probe(world: &World, path: &str) -> Reply {
    let request = http::Request::get(world.net.url(path)).header("mcp-protocol-version", "2025-11-25");
    world.net.send(request.body(Vec::new()).unwrap()).await
}

async fn finds(world: &World, paths: &[&'static str]) {
    let orders = orders(paths);
    assert_eq!(orders.len(), (1..=paths.len()).product::<usize>());
    for order in orders {
        let mut found = None;
        for path in &order {
            let reply = probe(world, path).await;
            assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
            let answer = reply.json();
            match reply.status.as_u16() {
                // Strict clients refuse a document of another issuer than the one whose URL they have built.
                200 if answer["issuer"] == world.issuer() => found = found.or(Some(answer)),
                200 => panic!("{path} is another issuer's: {answer}"),
                404 => assert!(answer["error"].is_string(), "{path}"),
                _ => panic!("{path}: {reply:?}"),
            }
        }
        let found = found.unwrap_or_else(|| panic!("nothing found by {order:?}"));
        assert_eq!(found["registration_endpoint"], format!("{}/register", world.issuer()));
        assert_eq!(found["client_id_metadata_document_supported"], true);
        assert_eq!(found["authorization_response_iss_parameter_supported"], true);
    }
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_in_every_order() {
    finds(&setup().path("/t1").start().await, &WITH_PATH).await;
}

#[tokio::test]
async fn an_issuer_without_a_path_is_found_in_every_order() {
    finds(&world().await, &WITHOUT).await;
}

#[tokio::test]
async fn a_router_that_is_merged_answers_the_same() {
    let setup = setup().path("/t1").mount(|layer, api| {
        let layer = layer.mount_at("/");
        api.nest("/t1", layer.router()).merge(layer.well_known_router())
    });
    let world = setup.start().await;
    let reply = probe(&world, WITH_PATH[0]).await;
    assert_eq!(reply.json()["registration_endpoint"], format!("{}/register", world.issuer()));
    assert_eq!(probe(&world, WITH_PATH[1]).await.refusal(), (404, "not_found".to_owned()));
    // Registration and its management are routes of the router, too.
    let endpoint = format!("{}{}", world.issuer(), Endpoint::Register.default_path());
    let request = http::Request::post(endpoint).header("content-type", "application/json");
    let body = r#"{"redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"none"}"#;
    let reply = world.net.send(request.body(body.into()).unwrap()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let own = http::Request::get(reply.member("registration_client_uri"));
    let own = own.header("authorization", format!("Bearer {}", reply.member("registration_access_token")));
    let read = world.net.send(own.body(Vec::new()).unwrap()).await;
    assert_eq!((read.status.as_u16(), read.json()), (200, reply.json()));
}
