//! The expiry behind purging: late, and never early.

use std::time::Duration;

use engines::Redis;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Store, Swap};
use oauth_storage_redis::Builder;

use crate::backend::{on, open, unused_prefix};
use crate::raw::Raw;
use crate::records::{HOUR, Records};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// After how many milliseconds Redis deletes a record that is kept until then by the server's clock; -1: never.
async fn expiry(builder: Builder, retain_until: impl Fn(Timestamp) -> Timestamp) -> i64 {
    let store = open(builder, &unused_prefix()).await;
    let mut raw = Raw::on(Redis::shared()).await;
    let records = Records::new(1);
    let (seconds, _): (i64, i64) = raw.ask("TIME", &[]).await;
    let first = records.retained(&records.grant(), Timestamp::from_secs(seconds) + DAY);
    assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Swapped);
    let next = records.retained(&first, retain_until(Timestamp::from_secs(seconds)));
    assert_eq!(store.swap(next, Some(first.version)).await.unwrap(), Swap::Swapped);
    let name = raw.keys(store.prefix(), "r").await.remove(0);
    raw.ask("PTTL", &[&name]).await
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

#[tokio::test]
async fn a_record_outlives_its_retention_by_the_slack() {
    let near = |seen: i64, wanted: Duration| (0..=millis(HOUR)).contains(&(millis(wanted) - seen));
    let seen = expiry(on(Redis::shared()), |now| now + 2 * DAY).await;
    assert!(near(seen, 32 * DAY), "{seen}");
    let seen = expiry(on(Redis::shared()).expiry_slack(DAY), |now| now + 2 * DAY).await;
    assert!(near(seen, 3 * DAY), "{seen}");
}

#[tokio::test]
async fn a_clock_that_lags_behind_the_servers_loses_nothing() {
    assert_eq!(expiry(on(Redis::shared()), |now| now - DAY).await, -1);
    assert_eq!(expiry(on(Redis::shared()).expiry_slack(Duration::ZERO), |now| now - HOUR).await, -1);
    assert_eq!(expiry(on(Redis::shared()), |_| Timestamp::EPOCH).await, -1);
    assert_eq!(expiry(on(Redis::shared()), |_| Timestamp::from_millis(-1)).await, -1);
}

#[tokio::test]
async fn what_is_kept_for_ever_has_no_expiry() {
    assert_eq!(expiry(on(Redis::shared()), |_| Timestamp::MAX).await, -1);
    assert_eq!(expiry(on(Redis::shared()).without_expiry(), |now| now + DAY).await, -1);
}
