//! A trivial load balancer: each request goes to the next server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;

const MAX_BODY: usize = 1024 * 1024;

/// Passes requests on to servers by turns.
///
/// # Errors
///
/// When no HTTP client can be made.
pub fn round_robin(servers: Vec<String>) -> Result<Router, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let next = Arc::new(AtomicUsize::new(0));
    Ok(Router::new().fallback(move |request: Request| {
        let server = &servers[next.fetch_add(1, Ordering::Relaxed) % servers.len()];
        let address = format!("{server}{}", request.uri());
        let client = client.clone();
        async move {
            pass_on(client, address, request)
                .await
                .unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
        }
    }))
}

async fn pass_on(
    client: reqwest::Client,
    address: String,
    request: Request,
) -> Result<Response, Box<dyn std::error::Error>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await?;
    // The `Host` of the public address goes along; the length is that of the body.
    let mut headers = head.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let answer = client.request(head.method, address).headers(headers).body(body).send().await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    *response.body_mut() = Body::from(answer.bytes().await?);
    Ok(response)
}
