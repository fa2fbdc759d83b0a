//! gRPC-web as a browser lets a page of another origin speak it: preflight, headers that are exposed, trailers in the body.

use std::net::Ipv4Addr;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use browser::{serve, walk};
use oauth_core::client::ClientSecret;
use tokio::net::TcpListener;

/// Calls without a token, and with the one that the fragment names.
const PAGE: &str = r#"<!doctype html><title>Notes</title><body><script>
const [server, token] = location.hash.slice(1).split(",");
const call = headers => fetch(server + "/notes.Notes/List", {
  method: "POST",
  headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1", ...headers },
  body: new Uint8Array(5),
});
const show = (id, text) => document.body.append(Object.assign(document.createElement("p"), { id, textContent: text }));
const read = answer => ["grpc-status", "www-authenticate"].map(name => answer.headers.get(name)).join(" | ");
(async () => {
  show("refused", read(await call({})));
  show("listed", await (await call({ authorization: "Bearer " + token })).text());
})().catch(error => show("failed", error));
</script>"#;

#[tokio::test]
async fn a_page_of_another_origin_calls_with_a_token_and_reads_a_refusal() {
    let page_at = serve(async |_: &str| Router::new().route("/", get(async || Html(PAGE)))).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let secret = ClientSecret::generate();
    let visit = async {
        // Leaves a note.
        grpc::client::run(&server, &secret).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(format!("{server}/token")).basic_auth("notebook", Some(secret.expose()));
        let answer = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
        let token: serde_json::Value = answer.json().await.unwrap();
        let url = format!("{page_at}/#{server},{}", token["access_token"].as_str().unwrap());
        walk(async move |page| {
            page.go(&url).await;
            let refused = page.text_of("#refused").await;
            assert_eq!(refused, r#"16 | Bearer realm="api", scope="notes:read""#);
            let listed = page.text_of("#listed").await;
            assert!(listed.contains("water the plants") && listed.contains("grpc-status:0"), "{listed:?}");
        })
        .await;
    };
    tokio::select! {
        () = visit => {}
        ended = grpc::serve(listener, &secret) => panic!("{ended:?}"),
    }
}
