//! A route of axum, open and behind each of three crates, asked with a token that was seen before and with new ones; and the
//! bare ES256 signature of the same tokens.
//!
//! New tokens come from a pool that is larger than any cache of verified tokens, so that each is forgotten before its turn
//! comes again.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures_executor::block_on;
use http::{Request, Response, StatusCode, header};
use jsonwebtoken::jwk::JwkSet as PeerKeys;
use jsonwebtoken::{DecodingKey, Validation};
use oauth_jose::{Algorithm, CompactSigner, JwkSet, LocalKey, Signer as _};
use oauth_tower::bearer::{Bearer, BearerLayer, JwtVerifier, TrustedIssuer};
use serde::Deserialize;
use tower_layer::Layer as _;
use tower_oauth2_resource_server::claims::DefaultClaims;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_service::Service;

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example";
/// Our verifier is given room for fewer.
const POOL: usize = 4096;
const ROOM: usize = 256;
/// How often each of the pool is asked with in turn with its bare signature.
const ROUNDS: usize = 20;

struct Tokens {
    keys: JwkSet,
    pkcs8: Vec<u8>,
    pool: Vec<String>,
}

impl Tokens {
    fn new() -> Self {
        let key = LocalKey::generate(Algorithm::Es256).expect("a key");
        let (keys, pkcs8) =
            (JwkSet::new([key.key().jwk().clone()]).expect("a set"), key.to_pkcs8().expect("PKCS #8"));
        let signer = CompactSigner::new(Arc::new(key), "at+jwt");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let pool = (0..POOL).map(|id| {
            let claims = format!(
                r#"{{"iss":"{ISSUER}","sub":"5f2b1c9e-8d34-4c1a-9b7e-2f6d0a3c4e58","aud":"{AUDIENCE}","client_id":"s6BhdRkqt3","iat":{now},"exp":{},"jti":"{id:032x}","scope":"read write"}}"#,
                now + 24 * 3600
            );
            block_on(signer.sign(claims.as_bytes())).expect("a token")
        });
        Self { keys, pkcs8: pkcs8.to_vec(), pool: pool.collect() }
    }
}

/// Answers at once.
#[derive(Clone)]
struct Api;

impl Service<Request<Body>> for Api {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Ok(Response::new(Body::empty())))
    }
}

fn layer(tokens: &Tokens) -> BearerLayer<JwtVerifier> {
    let issuer = TrustedIssuer::with_keys(ISSUER, AUDIENCE, tokens.keys.clone());
    let verifier = JwtVerifier::builder().issuer(issuer).cache_entries(ROOM).build().expect("a verifier");
    BearerLayer::new(verifier).require_scope("read")
}

fn ours(tokens: &Tokens) -> Router {
    let whom = get(async |token: Bearer| token.subject().unwrap_or_default().to_owned());
    Router::new().route("/resource", whom).route_layer(layer(tokens))
}

fn axum_jwt_auth(tokens: &Tokens) -> Router {
    #[derive(Deserialize)]
    struct Own {
        sub: String,
    }

    let json = serde_json::to_string(&tokens.keys).expect("JSON");
    let keys: PeerKeys = serde_json::from_str(&json).expect("a key set");
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let keys = keys.keys.iter().map(|key| DecodingKey::from_jwk(key).expect("a key")).collect();
    let decoder = LocalDecoder::builder().keys(keys).validation(validation).build().expect("a decoder");
    let decoder: Decoder<Own> = Arc::new(decoder);
    let whom = get(async |token: Claims<Own>| token.claims.sub);
    Router::new().route("/resource", whom).with_state(decoder)
}

async fn resource_server(tokens: &Tokens) -> Router {
    let json = serde_json::to_string(&tokens.keys).expect("JSON");
    let tenant = TenantConfiguration::static_builder(json).identifier(ISSUER).audiences(&[AUDIENCE]);
    let server = <OAuth2ResourceServer>::builder().add_tenant(tenant.build().expect("a tenant"));
    let server = server.build().await.expect("a server");
    let whom =
        get(async |axum::Extension(token): axum::Extension<DefaultClaims>| token.sub.unwrap_or_default());
    Router::new().route("/resource", whom).layer(server.into_layer())
}

fn request(token: &str) -> Request<Body> {
    Request::get("/resource")
        .header(header::HOST, "api.example")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request")
}

fn ask(router: &mut Router, request: Request<Body>) {
    let response = block_on(router.call(request)).expect("infallible");
    assert_eq!(response.status(), StatusCode::OK);
}

fn protected(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _context = runtime.enter();
    let tokens = Tokens::new();
    let open = get(async || "5f2b1c9e-8d34-4c1a-9b7e-2f6d0a3c4e58".to_owned());
    let contenders = [
        ("open", Router::new().route("/resource", open)),
        ("ours", ours(&tokens)),
        ("axum-jwt-auth", axum_jwt_auth(&tokens)),
        ("tower-oauth2-resource-server", runtime.block_on(resource_server(&tokens))),
    ];

    let mut group = criterion.benchmark_group("repeated token");
    for (name, router) in &contenders {
        let mut router = router.clone();
        group.bench_function(*name, |bench| {
            bench.iter_batched(
                || request(&tokens.pool[0]),
                |request| ask(&mut router, request),
                BatchSize::NumIterations(32),
            );
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("repeated token, no app");
    let (mut bare, mut layered) = (Api, layer(&tokens).layer(Api));
    group.bench_function("open", |bench| {
        let ask = |request| block_on(bare.call(request)).expect("infallible");
        bench.iter_batched(|| request(&tokens.pool[0]), ask, BatchSize::NumIterations(32));
    });
    group.bench_function("ours", |bench| {
        let ask = |request| block_on(layered.call(request)).expect("infallible");
        bench.iter_batched(|| request(&tokens.pool[0]), ask, BatchSize::NumIterations(32));
    });
    group.finish();

    let mut group = criterion.benchmark_group("new token");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &tokens.pkcs8).expect("the key");
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key()).expect("a public key");
    let signed: Vec<_> = tokens.pool.iter().filter_map(|token| token.rsplit_once('.')).collect();
    let signed: Vec<_> =
        signed.into_iter().map(|(message, signature)| (message, decoded(signature))).collect();
    let mut all = signed.iter().cycle();
    group.bench_function("signature alone", |bench| {
        bench.iter(|| {
            let (message, signature) = all.next().expect("a cycle");
            public.verify_sig(black_box(message.as_bytes()), black_box(signature)).expect("right");
        });
    });
    for (name, router) in &contenders {
        let (mut router, mut pool) = (router.clone(), tokens.pool.iter().cycle());
        group.bench_function(*name, |bench| {
            bench.iter_batched(
                || request(pool.next().expect("a cycle")),
                |request| ask(&mut router, request),
                BatchSize::NumIterations(32),
            );
        });
    }
    group.finish();
    paired(&tokens, &public, &signed);
}

/// The layer on a new token beside the bare signature of the same token, in turn, each right after another signature: what it
/// adds is the median of the differences, which a machine that does something else meanwhile hardly moves.
fn paired(tokens: &Tokens, public: &ParsedPublicKey, signed: &[(&str, Vec<u8>)]) {
    let (mut bare, mut layered) = (Api, layer(tokens).layer(Api));
    let mut added = Vec::with_capacity(ROUNDS * POOL);
    for _ in 0..ROUNDS {
        for (token, (message, signature)) in tokens.pool.iter().zip(signed) {
            let (open, asked) = (request(token), request(token));
            let verify =
                || public.verify_sig(black_box(message.as_bytes()), black_box(signature)).expect("right");
            verify();
            let start = Instant::now();
            verify();
            let response = block_on(bare.call(open)).expect("infallible");
            let floor = start.elapsed();
            drop(black_box(response));
            verify();
            let start = Instant::now();
            let response = block_on(layered.call(asked)).expect("infallible");
            let whole = start.elapsed();
            assert_eq!(black_box(response).status(), StatusCode::OK);
            added.push(whole.as_secs_f64() - floor.as_secs_f64());
        }
    }
    added.sort_by(f64::total_cmp);
    let [low, middle, high] = [1, 2, 3].map(|quarter| added[added.len() * quarter / 4] * 1e6);
    println!("new token, no app: signature + {middle:.2} µs (quartiles {low:.2} to {high:.2})");
}

fn decoded(base64url: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(base64url).expect("base64url")
}

criterion_group!(benches, protected);
criterion_main!(benches);
