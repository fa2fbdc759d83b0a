//! What an authorization request costs whose client is in the program, and one whose client has a metadata document that is
//! cached: the same client, the same parameters, up to the redirect to the sign-in page.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{CHALLENGE, encode};
use criterion::Criterion;
use futures_executor::block_on;
use http::Request;
use http::request::Parts;
use oauth_core::client::Client;
use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};
use oauth_core::server::{ClientIdMetadataDocuments, Server};
use oauth_storage_memory::MemoryStore;

const ID: &str = "https://c.example/client.json";
const CALLBACK: &str = "https://c.example/cb";
const API: &str = "https://api.example";

#[derive(Clone, Debug, Default)]
struct Host(Arc<AtomicUsize>);

#[async_trait]
impl DocumentFetcher for Host {
    async fn fetch(&self, url: &str, _limit: usize) -> Result<Fetched, FetchError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let body = format!(
            r#"{{"client_id":"{url}","client_name":"The Client","redirect_uris":["{CALLBACK}"],"token_endpoint_auth_method":"none"}}"#
        );
        Ok(Fetched { body: body.into_bytes(), headers: http::HeaderMap::new() })
    }
}

fn request() -> Parts {
    let (id, callback, api) = (encode(ID), encode(CALLBACK), encode(API));
    let uri = format!(
        "/authorize?response_type=code&client_id={id}&redirect_uri={callback}&state=s&resource={api}\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    Request::get(uri).body(()).expect("a request").into_parts().0
}

fn main() {
    let host = Host::default();
    let builder =
        || Server::builder("https://as.example", MemoryStore::new()).scope("read", "read").resource(API);
    let client = Client::public(ID).redirect_uri(CALLBACK).scope("read").resource(API);
    let registered = builder().client(client).build().expect("a server");
    let documented = builder()
        .document_fetcher(host.clone())
        .client_id_metadata_documents(ClientIdMetadataDocuments::new())
        .build()
        .expect("a server");
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
        .configure_from_args();
    let head = request();
    let mut group = criterion.benchmark_group("authorization request");
    for (name, server) in [("client in the program", &registered), ("cached document", &documented)] {
        block_on(server.authorize(&head, None)).expect("a step");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(block_on(server.authorize(&head, None))).expect("a step"));
        });
    }
    group.finish();
    criterion.final_summary();
    println!("fetches: {}", host.0.load(Ordering::Relaxed));
    assert_eq!(host.0.load(Ordering::Relaxed), 1, "a cached document is not fetched");
}
