//! One GET, and what may answer it.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use oauth_core::fetch::{FetchError, Fetched};

use crate::connect::Stream;
use crate::target::Target;

/// The longest head of a response, in bytes.
const MAX_HEAD: usize = 16 * 1024;
const USER_AGENT: &str = concat!("oauth-fetch/", env!("CARGO_PKG_VERSION"));

/// Asks for the document and reads it, on a connection of its own.
pub(crate) async fn exchange(stream: Stream, target: &Target, limit: usize) -> Result<Fetched, FetchError> {
    let mut client = http1::Builder::new();
    client.max_buf_size(MAX_HEAD).max_headers(64);
    let (mut sender, connection) =
        client.handshake(TokioIo::new(stream)).await.map_err(|_| FetchError::Unreachable)?;
    let request = Request::get(&target.path_and_query)
        .header(header::HOST, &target.authority)
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Url)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| FetchError::Unreachable)?;
        read(response, limit).await
    };
    // The connection only moves when it is polled; when it has ended, the rest of the answer is at hand.
    match select(pin!(answer), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    }
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<Fetched, FetchError> {
    let status = response.status();
    if status != StatusCode::OK {
        let later = status.is_server_error()
            || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        return Err(if later { FetchError::Unreachable } else { FetchError::Answer });
    }
    if !is_json(response.headers()) {
        return Err(FetchError::Answer);
    }
    if response.body().size_hint().lower() > limit as u64 {
        return Err(FetchError::TooLong);
    }
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|_| FetchError::Unreachable)?.into_data() else { continue };
        if data.len() > limit - body.len() {
            return Err(FetchError::TooLong);
        }
        body.extend_from_slice(&data);
    }
    Ok(Fetched { body, headers: head.headers })
}

/// `application/json`, or a type of its family such as `application/jwk-set+json`, and not compressed.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"));
    json && headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity")
}
