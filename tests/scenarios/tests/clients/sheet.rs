//! One row a client.

use std::sync::Arc;

use super::*;
use crate::documents::Documents;
use crate::known::Asks;
use serde_json::{Value, json};

/// A client as it is seen to behave.
struct Row {
    name: &'static str,
    registration: Registration,
    asks: Asks<'static>,
}

/// What most of them do: one resource everywhere, all scope that there is, a state.
const USUAL: Asks<'static> =
    Asks { redirect_uri: "", scope: None, resource: &[FILES], at_token: &[FILES], state: Some("s-1") };

fn row(name: &'static str, registration: Registration, asks: Asks<'static>) -> Row {
    Row { name, registration, asks }
}

fn to(redirect_uri: &'static str) -> Asks<'static> {
    Asks { redirect_uri, ..USUAL }
}

/// Metadata as the common client libraries send them.
fn public(name: &str, redirect_uris: Value) -> Value {
    json!({
        "client_name": name,
        "redirect_uris": redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

fn with(mut metadata: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    metadata
}

async fn runs(rows: Vec<Row>) {
    let (world, documents) = (Arc::new(world().await), Documents::start().await);
    for Row { name, registration, asks } in rows {
        let (world, documents) = (world.clone(), documents.clone());
        // In a task of its own, so that a failure says whose it is.
        let tasks = tokio::task::LocalSet::new();
        let life = tasks.spawn_local(async move {
            Known::new(&world, &documents, &registration).await.whole_life(&world, &asks).await;
        });
        tasks.await;
        assert!(life.await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn claude_on_the_web_and_on_the_desktop() {
    const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";
    let both = json!([CALLBACK, "https://claude.com/api/mcp/auth_callback"]);
    let secret =
        |method| with(public("Claude", json!([CALLBACK])), json!({"token_endpoint_auth_method": method}));
    let mut unsaid = public("Claude", both.clone());
    unsaid.as_object_mut().unwrap().remove("token_endpoint_auth_method");
    runs(vec![
        row("registers as public", Registration::Dynamic(public("Claude", both.clone())), to(CALLBACK)),
        row(
            "at its other host",
            Registration::Dynamic(public("Claude", both)),
            to("https://claude.com/api/mcp/auth_callback"),
        ),
        row("with a secret", Registration::Dynamic(secret("client_secret_post")), to(CALLBACK)),
        row("does not say how it authenticates", Registration::Dynamic(unsaid), to(CALLBACK)),
        row("with an id and a secret that were typed in", Registration::Host("connector"), to(CALLBACK)),
    ])
    .await;
}

#[tokio::test]
async fn claude_code() {
    let uris = json!(["http://localhost/callback", "http://127.0.0.1/callback"]);
    let document = public("Claude Code", uris);
    let document = with(document, json!({"client_uri": "https://claude.ai"}));
    let of = || Registration::Document("/oauth/claude-code-client-metadata", document.clone());
    runs(vec![
        row("localhost, a random port", of(), to("http://localhost:53682/callback")),
        row("127.0.0.1, a random port", of(), to("http://127.0.0.1:61111/callback")),
    ])
    .await;
}

#[tokio::test]
async fn chatgpt() {
    const CALLBACK: &str = "https://chatgpt.com/connector/oauth/abc123";
    const LEGACY: &str = "https://chatgpt.com/connector_platform_oauth_redirect";
    let keys = json!({
        "client_name": "ChatGPT",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "jwks_uri": "{host}/oauth/jwks.json",
    });
    let signed = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256",
    });
    let either = json!({"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]});
    let signing = Registration::Document("/oauth/abc/client.json", with(keys.clone(), signed));
    let stays = Asks { scope: Some("notes:read offline_access"), ..to(CALLBACK) };
    runs(vec![
        row("signs assertions", signing, stays),
        row("may sign", Registration::Document("/oauth/new/client.json", with(keys, either)), to(CALLBACK)),
        row("registers", Registration::Dynamic(public("ChatGPT", json!([CALLBACK, LEGACY]))), to(CALLBACK)),
        row("its older callback", Registration::Dynamic(public("ChatGPT", json!([LEGACY]))), to(LEGACY)),
    ])
    .await;
}

#[tokio::test]
async fn codex() {
    let document = public("Codex", json!(["http://127.0.0.1/callback", "http://127.0.0.1/callback/abc"]));
    let registered = public("Codex", json!(["http://127.0.0.1:45001/callback"]));
    let of = || Registration::Document("/oauth/codex.json", document.clone());
    let at = to("http://127.0.0.1:45678/callback");
    runs(vec![
        row("a resource, twice", of(), Asks { resource: &[FILES, FILES], at_token: &[FILES, FILES], ..at }),
        row("no resource at all", of(), Asks { resource: &[], at_token: &[], ..at }),
        row("a path behind its callback", of(), to("http://127.0.0.1:45679/callback/abc")),
        row("registers with a port and comes with another", Registration::Dynamic(registered), at),
    ])
    .await;
}

#[tokio::test]
async fn vs_code() {
    let uris = json!([
        "https://vscode.dev/redirect",
        "https://insiders.vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ]);
    let metadata = with(
        public("Visual Studio Code", uris),
        json!({"client_uri": "https://code.visualstudio.com", "application_type": "native"}),
    );
    let of = || Registration::Document("/oauth/client-metadata.json", metadata.clone());
    let registers = || Registration::Dynamic(metadata.clone());
    runs(vec![
        row("its port", of(), to("http://127.0.0.1:33418/")),
        row("another port, since that is busy", of(), to("http://127.0.0.1:50123/")),
        row("on the web", of(), to("https://vscode.dev/redirect")),
        row("registers", registers(), to("http://127.0.0.1:33418/")),
        row("registers, another port", registers(), to("http://127.0.0.1:50124/")),
        row("registers, insiders", registers(), to("https://insiders.vscode.dev/redirect")),
    ])
    .await;
}

#[tokio::test]
async fn copilot_cli() {
    let document = public("GitHub Copilot CLI", json!(["http://127.0.0.1:33418/"]));
    let of = Registration::Document("/copilot/cli/client-metadata.json", document);
    runs(vec![row("a port that its document does not list", of, to("http://127.0.0.1:49222/"))]).await;
}

#[tokio::test]
async fn cursor() {
    const SCHEME: &str = "cursor://anysphere.cursor-mcp/oauth/callback";
    const WEB: &str = "https://cursor.com/oauth/mcp/callback";
    let uris = json!([SCHEME, WEB, "http://localhost:8787/callback"]);
    let unsaid = || Registration::Dynamic(public("Cursor", uris.clone()));
    let web =
        || Registration::Dynamic(with(public("Cursor", uris.clone()), json!({"application_type": "web"})));
    let with_query: &[&str] = &["https://files.example?client=codex"];
    runs(vec![
        row("its scheme", unsaid(), to(SCHEME)),
        row("calls itself a web client", web(), to(SCHEME)),
        row("on the web", web(), to(WEB)),
        row("on loopback", unsaid(), to("http://localhost:8788/callback")),
        row("without a state", unsaid(), Asks { state: None, ..to(SCHEME) }),
        row(
            "the query of its URL in the resource",
            unsaid(),
            Asks { resource: with_query, at_token: with_query, ..to(SCHEME) },
        ),
    ])
    .await;
}

#[tokio::test]
async fn zed() {
    let metadata = public("Zed", json!(["http://127.0.0.1/callback"]));
    let at = to("http://127.0.0.1:52001/callback");
    runs(vec![
        row("describes itself", Registration::Document("/zed/client.json", metadata.clone()), at),
        row("registers", Registration::Dynamic(metadata), at),
    ])
    .await;
}

#[tokio::test]
async fn the_mcp_inspector() {
    let uris = json!(["http://localhost:6274/oauth/callback", "http://localhost:6274/oauth/callback/debug"]);
    let more =
        json!({"client_uri": "https://github.com/modelcontextprotocol/inspector", "scope": "notes:read"});
    let of = || Registration::Dynamic(with(public("MCP Inspector", uris.clone()), more.clone()));
    runs(vec![
        row("its page", of(), to("http://localhost:6274/oauth/callback")),
        row("its debugger", of(), to("http://localhost:6274/oauth/callback/debug")),
    ])
    .await;
}

#[tokio::test]
async fn mcp_remote() {
    let metadata = with(
        public("MCP CLI Proxy", json!(["http://localhost:3334/oauth/callback"])),
        json!({
            "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
            "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
            "software_version": "0.1.37",
        }),
    );
    let of = || Registration::Dynamic(metadata.clone());
    let silent = Asks { resource: &[], at_token: &[], ..USUAL };
    runs(vec![
        row("its port", of(), Asks { redirect_uri: "http://localhost:3334/oauth/callback", ..silent }),
        row("a random port", of(), to("http://localhost:19876/oauth/callback")),
        row(
            "a resource at authorization alone",
            of(),
            Asks { at_token: &[], ..to("http://localhost:3334/oauth/callback") },
        ),
    ])
    .await;
}

#[tokio::test]
async fn opencode_and_mcpc() {
    let metadata = public("opencode", json!(["http://127.0.0.1:19876/mcp/oauth/callback"]));
    let of = |path| Registration::Document(path, metadata.clone());
    runs(vec![
        row("opencode", of("/opencode.json"), to("http://127.0.0.1:19876/mcp/oauth/callback")),
        row("mcpc", of("/mcpc.json"), to("http://127.0.0.1:19877/mcp/oauth/callback")),
    ])
    .await;
}
