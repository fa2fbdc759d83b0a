//! Documents that clients name: fetched by a component outside of this crate, which opens connections.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES};

/// A JSON document that was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The body, within the limit that was asked for.
    pub body: Vec<u8>,
    /// The headers of the response.
    pub headers: HeaderMap,
}

/// Why a document was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not one that may be fetched: another scheme or port, or user information.
    #[error("the URL may not be fetched")]
    Url,
    /// The host has an address that must not be reached.
    #[error("the host has an address that may not be reached")]
    Address,
    /// The host answered, but not with the document: another status than 200, or another type than JSON.
    #[error("the host did not answer with a JSON document")]
    Answer,
    /// Longer than the limit.
    #[error("the document is too long")]
    TooLong,
    /// No name, no connection, no valid certificate, no answer in time, or an answer that says "later".
    #[error("the host could not be reached or did not answer in time")]
    Unreachable,
    /// As many fetches as are allowed are in flight.
    #[error("too many fetches are in flight")]
    Busy,
}

impl FetchError {
    /// Whether it may be different soon, so that what is known of the document still counts.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy)
    }
}

/// Fetches documents over HTTPS.
///
/// # Security
///
/// The URLs come from strangers. An implementation refuses every address that is not public, connects to the very address
/// that it checked, follows no redirects, sends no credentials, and bounds size and time. `oauth-fetch` does.
#[async_trait]
pub trait DocumentFetcher: fmt::Debug + Send + Sync + 'static {
    /// Fetches a JSON document of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// A [`FetchError`].
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, FetchError>;
}

/// How long a response may be reused, by its own headers (RFC 9111 §4.2.1); zero where it must not be, `None` where it does
/// not say.
pub fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let age = text(AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    let mut max_age = None;
    for value in headers.get_all(CACHE_CONTROL) {
        let Ok(value) = value.to_str() else { return Some(Duration::ZERO) };
        for directive in value.split(',').map(str::trim) {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            match name.to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(Duration::ZERO),
                "max-age" => {
                    let seconds = argument.trim().trim_matches('"');
                    // What is no number counts as stale; a number that is too large counts as very large (§4.2.1, §1.2.2).
                    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
                    let seconds = if digits { seconds.parse().unwrap_or(u64::from(u32::MAX)) } else { 0 };
                    max_age = Some(max_age.map_or(seconds, |other: u64| other.min(seconds)));
                }
                _ => {}
            }
        }
    }
    if let Some(max_age) = max_age {
        return Some(Duration::from_secs(max_age.saturating_sub(age)));
    }
    let expires = text(EXPIRES)?;
    let (Some(expires), Some(date)) = (http_date(expires), text(DATE).and_then(http_date)) else {
        return Some(Duration::ZERO);
    };
    let seconds = u64::try_from(expires - date).unwrap_or(0);
    Some(Duration::from_secs(seconds.saturating_sub(age)))
}

/// Seconds since 1970 of an `IMF-fixdate` (RFC 9110 §5.6.7); the obsolete forms count as unreadable.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.trim().split_once(", ")?;
    let mut parts = rest.strip_suffix(" GMT")?.split([' ', ':']);
    let mut next = || parts.next();
    let day = next()?.parse().ok()?;
    let month = next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = time::Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let year = next()?.parse().ok()?;
    let (hour, minute, second) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let date = time::Date::from_calendar_date(year, month, day).ok()?;
    let time = time::Time::from_hms(hour, minute, second).ok()?;
    Some(time::PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        freshness(&map).map(|fresh| fresh.as_secs())
    }

    #[test]
    fn says_how_long_a_response_counts() {
        let (date, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT");
        assert_eq!(fresh(&[]), None);
        assert_eq!(fresh(&[("cache-control", "public, max-age=60")]), Some(60));
        assert_eq!(fresh(&[("cache-control", "Max-Age=\"60\"")]), Some(60));
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "50")]), Some(10));
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "500")]), Some(0));
        assert_eq!(fresh(&[("cache-control", "max-age=60, no-store")]), Some(0));
        assert_eq!(fresh(&[("cache-control", "no-cache"), ("expires", later)]), Some(0));
        assert_eq!(fresh(&[("cache-control", "max-age=soon")]), Some(0));
        assert_eq!(fresh(&[("cache-control", "max-age=99999999999999999999")]), Some(u64::from(u32::MAX)));
        assert_eq!(fresh(&[("cache-control", "max-age=9"), ("cache-control", "max-age=5")]), Some(5));
        assert_eq!(fresh(&[("expires", later), ("date", date)]), Some(3600));
        assert_eq!(fresh(&[("expires", date), ("date", later)]), Some(0));
        assert_eq!(fresh(&[("expires", "0"), ("date", date)]), Some(0));
        assert_eq!(fresh(&[("expires", later)]), Some(0));
    }
}
