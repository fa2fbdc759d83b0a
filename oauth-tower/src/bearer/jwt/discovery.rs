//! Fetching an issuer's keys: its metadata (RFC 8414, OpenID Connect Discovery), then its JWK Set.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Request, StatusCode, header};
use oauth_jose::{Algorithm, JwkSet, MAX_SET, VerifyingKeys};
use serde::Deserialize;

use crate::body::Body;
use crate::http_client::{Answer, HttpClient, is_private};

/// Where an issuer's keys are, and how they are fetched.
pub(super) struct Source {
    pub(super) http: HttpClient,
    /// Given by the host, or found.
    pub(super) jwks_uri: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) plain_http: bool,
    pub(super) found: Mutex<Option<String>>,
}

/// The keys, and how long the issuer wants them to be kept.
pub(super) type Fetched = (VerifyingKeys, Option<Duration>);

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// # Errors
    ///
    /// In the operator's words.
    pub(super) async fn fetch(
        &self,
        issuer: &str,
        deadline: Duration,
        again: bool,
    ) -> Result<Fetched, String> {
        if again {
            // It may have moved.
            *self.found() = None;
        }
        let known = self.jwks_uri.clone().or_else(|| self.found().clone());
        let jwks_uri = match known {
            Some(known) => known,
            None => {
                let found = self.discover(issuer, deadline).await?;
                *self.found() = Some(found.clone());
                found
            }
        };
        let answer = self.get(&jwks_uri, deadline).await?;
        if answer.status != StatusCode::OK {
            return Err(format!("the JWK Set's address answered {}", answer.status.as_u16()));
        }
        let set = JwkSet::parse(&answer.body).map_err(|error| error.to_string())?;
        let keys = VerifyingKeys::from_jwks(&set, &self.algorithms).map_err(|error| error.to_string())?;
        if keys.keys().is_empty() && (set.skipped() > 0 || !set.keys().is_empty()) {
            return Err("the JWK Set has no key that can be used here".to_owned());
        }
        Ok((keys, max_age(&answer.headers)))
    }

    async fn discover(&self, issuer: &str, deadline: Duration) -> Result<String, String> {
        let mut last = "the issuer is not a URL".to_owned();
        for address in well_known(issuer).into_iter().flatten() {
            let answer = self.get(&address, deadline).await?;
            if answer.status != StatusCode::OK {
                last = format!("the issuer's metadata was answered with {}", answer.status.as_u16());
                continue;
            }
            // Some sites answer 200 with a page to whatever they do not know.
            let Ok(metadata) = serde_json::from_slice::<Metadata>(&answer.body) else {
                last = "the issuer's metadata has no issuer or no jwks_uri".to_owned();
                continue;
            };
            // RFC 8414 §3.3.
            if metadata.issuer != issuer {
                return Err("the metadata is of another issuer".to_owned());
            }
            if !(is_private(&metadata.jwks_uri) || self.plain_http) {
                return Err("jwks_uri is not https".to_owned());
            }
            return Ok(metadata.jwks_uri);
        }
        Err(last)
    }

    async fn get(&self, address: &str, deadline: Duration) -> Result<Answer, String> {
        let request = Request::get(address).header(header::ACCEPT, "application/json");
        let request = request.body(Body::empty()).map_err(|_| "an address is not a URL".to_owned())?;
        self.http.exchange(request, deadline, MAX_SET).await
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The metadata of RFC 8414 §3.1 and of OpenID Connect Discovery §4.1.
fn well_known(issuer: &str) -> Option<[String; 2]> {
    let (scheme, rest) = issuer.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.strip_suffix('/').unwrap_or(path);
    Some([
        format!("{scheme}://{host}/.well-known/oauth-authorization-server{path}"),
        format!("{scheme}://{host}{path}/.well-known/openid-configuration"),
    ])
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get(header::CACHE_CONTROL)?.to_str().ok()?;
    let seconds = directives.split(',').find_map(|directive| directive.trim().strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_metadata_is() {
        let [oauth, openid] = well_known("https://as.example/t1").unwrap();
        assert_eq!(oauth, "https://as.example/.well-known/oauth-authorization-server/t1");
        assert_eq!(openid, "https://as.example/t1/.well-known/openid-configuration");
        let [oauth, openid] = well_known("https://as.example/").unwrap();
        assert_eq!(oauth, "https://as.example/.well-known/oauth-authorization-server");
        assert_eq!(openid, "https://as.example/.well-known/openid-configuration");
    }

    #[test]
    fn how_long_a_set_is_fresh() {
        let mut headers = HeaderMap::new();
        for (value, expected) in [
            ("public, max-age=60", Some(60)),
            ("max-age=1,x", Some(1)),
            ("no-store", None),
            ("max-age=-1", None),
            ("s-maxage=5", None),
        ] {
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            assert_eq!(max_age(&headers), expected.map(Duration::from_secs), "{value}");
        }
    }
}
