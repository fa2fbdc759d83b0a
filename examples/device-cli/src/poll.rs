//! Polling as the server asks for it (RFC 8628 §3.4, §3.5).

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, header};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Device, Error, Tokens};

/// How much longer to wait after each `slow_down`.
const SLOWER: Duration = Duration::from_secs(5);
/// How long to wait at most, whatever the server says, and when it cannot be reached.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a code may live, whatever the server says.
const DAY: u64 = 24 * 3600;

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Polls until the owner has decided, or the code has expired.
///
/// # Errors
///
/// When the owner says no or nothing, and when the server refuses for another reason.
pub async fn poll(http: &Client, endpoint: &str, client_id: &str, device: &Device) -> Result<Tokens, Error> {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client_id),
        ("device_code", &device.device_code),
    ];
    let mut interval = Duration::from_secs(device.interval.max(1)).min(LONGEST);
    let mut wait = interval;
    let asking = async {
        loop {
            sleep(wait).await;
            let answer = match http.post(endpoint).form(&form).send().await {
                Ok(answer) => answer,
                // No network for a while: twice as long each time (RFC 8628 §3.5).
                Err(_) => {
                    wait = (wait * 2).min(LONGEST);
                    continue;
                }
            };
            wait = interval;
            match answer.status() {
                StatusCode::OK => return Ok(answer.json().await?),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    wait = wait.max(retry_after(&answer)).min(LONGEST);
                    continue;
                }
                _ => {}
            }
            let refusal: Refusal = answer.json().await?;
            match &*refusal.error {
                "authorization_pending" => {}
                // For this poll and all that follow.
                "slow_down" => {
                    interval = (interval + SLOWER).min(LONGEST);
                    wait = interval;
                }
                "access_denied" => return Err(Error::Denied),
                "expired_token" => return Err(Error::Expired),
                _ => return Err(Error::Refused(format!("{}: {}", refusal.error, refusal.error_description))),
            }
        }
    };
    let expires = Instant::now() + Duration::from_secs(device.expires_in.min(DAY));
    timeout_at(expires, asking).await.unwrap_or(Err(Error::Expired))
}

fn retry_after(answer: &Response) -> Duration {
    let seconds =
        answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}
