//! `rmcp`'s own client authorization against the example: it finds out everything by itself.

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{
    AuthClient, AuthorizationCallback, AuthorizationManager, AuthorizationRequest, OAuthState,
};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::json;

use crate::support::{Browser, CLIENT, serve};

const CALLBACK: &str = "http://127.0.0.1:4711/callback";

/// Lets a client in, with what it asks for of its own accord, or with this scope.
async fn authorized(origin: &str, scopes: &[&str]) -> (AuthorizationManager, String) {
    let state = OAuthState::new(format!("{origin}/mcp"), None).await.unwrap();
    let request = AuthorizationRequest::new(CALLBACK).with_client_metadata_url(CLIENT);
    let_in(state, request.with_scopes(scopes.iter().copied()), origin).await
}

async fn let_in(
    mut state: OAuthState,
    request: AuthorizationRequest,
    origin: &str,
) -> (AuthorizationManager, String) {
    state.start_authorization(request).await.unwrap();
    let url = state.get_authorization_url().await.unwrap();
    let (callback, page) = Browser::new(origin).approve(&url).await;
    state.handle_callback_url(&callback).await.unwrap();
    (state.into_authorization_manager().unwrap(), page)
}

type Client = RunningService<RoleClient, ()>;

async fn connect(origin: &str, http: AuthClient<reqwest::Client>) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{origin}/mcp"));
    ().serve(StreamableHttpClientTransport::with_client(http, config)).await.unwrap()
}

async fn call(client: &Client, tool: &'static str, text: &str) -> Result<String, String> {
    let arguments = json!({ "text": text }).as_object().unwrap().clone();
    let call = CallToolRequestParams::new(tool).with_arguments(arguments);
    let result = client.call_tool(call).await.map_err(|error| format!("{error:?}"))?;
    Ok(serde_json::to_value(&result.content).unwrap()[0]["text"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn rmcp_finds_everything_signs_in_calls_and_refreshes() {
    let origin = serve().await;
    let (manager, page) = authorized(&origin, &[]).await;
    // The consent page names who asks, who vouches for it and where the answer goes.
    for shown in ["Test Client", "client.example", "127.0.0.1", "read your notes", "stay connected"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }

    let first = manager.get_access_token().await.unwrap();
    manager.refresh_token().await.unwrap();
    assert_ne!(manager.get_access_token().await.unwrap(), first);

    let client = connect(&origin, AuthClient::new(reqwest::Client::new(), manager)).await;
    assert_eq!(call(&client, "add_note", "buy milk").await.as_deref(), Ok("added"));
    assert_eq!(call(&client, "list_notes", "").await.as_deref(), Ok("notes of ada:\nbuy milk"));
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcp_without_a_document_registers_itself() {
    let origin = serve().await;
    let state = OAuthState::new(format!("{origin}/mcp"), None).await.unwrap();
    let request = AuthorizationRequest::new(CALLBACK).with_client_name("Newcomer");
    let (manager, page) = let_in(state, request, &origin).await;
    assert!(page.contains("Newcomer"), "{page}");
    manager.refresh_token().await.unwrap();
    let client = connect(&origin, AuthClient::new(reqwest::Client::new(), manager)).await;
    assert_eq!(call(&client, "list_notes", "").await.as_deref(), Ok("notes of ada:\n"));
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_tool_of_more_scope_sends_rmcp_back_for_it() {
    let origin = serve().await;
    let (manager, _) = authorized(&origin, &["notes:read"]).await;
    let http = AuthClient::new(reqwest::Client::new(), manager);
    let client = connect(&origin, http.clone()).await;
    assert_eq!(call(&client, "list_notes", "").await.as_deref(), Ok("notes of ada:\n"));
    let refused = call(&client, "add_note", "buy milk").await.unwrap_err();
    assert!(
        refused.contains("insufficient_scope") && refused.contains("notes:read notes:write"),
        "{refused}"
    );

    let manager = http.auth_manager.lock().await;
    let url = manager.request_scope_upgrade("notes:read notes:write").await.unwrap();
    let (callback, _) = Browser::new(&origin).approve(&url).await;
    let AuthorizationCallback { code, csrf_token, issuer, .. } =
        AuthorizationCallback::from_redirect_url(&callback).unwrap();
    manager.exchange_code_for_token_with_issuer(&code, &csrf_token, issuer.as_deref()).await.unwrap();
    drop(manager);
    assert_eq!(call(&client, "add_note", "buy milk").await.as_deref(), Ok("added"));
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn without_a_token_the_challenge_says_where_to_go() {
    let origin = serve().await;
    let http = reqwest::Client::new();
    let answer = http.post(format!("{origin}/mcp")).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(
        answer.headers()["www-authenticate"],
        format!(
            r#"Bearer realm="mcp", scope="notes:read", resource_metadata="{origin}/.well-known/oauth-protected-resource/mcp""#
        )
    );
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}
