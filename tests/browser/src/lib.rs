//! Headless Chromium for tests, by the WebDriver protocol.
//!
//! Each walk has a browser of its own with a fresh profile, on free ports. Nothing sleeps: an element that is looked for is
//! waited for by the driver. At its end a walk fails if the browser reported a violation of a `Content-Security-Policy`.

mod driver;
mod page;
mod serve;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Semaphore;

pub use page::Page;
pub use serve::{Callback, serve};

use driver::Driver;

/// How many browsers run at once.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Walks in a browser, and ends it whatever becomes of the walk.
///
/// # Panics
///
/// If the walk does, the browser cannot be started, or it reported a violation of a policy.
pub async fn walk<F: Future<Output = ()> + Send + 'static>(steps: impl FnOnce(Arc<Page>) -> F) {
    let _permit = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    let driver = Driver::start().await;
    let page = Arc::new(driver.open().await);
    let walked = tokio::spawn(steps(page.clone())).await;
    let log = page.log().await;
    page.close().await;
    if let Err(panic) = walked {
        std::panic::resume_unwind(panic.into_panic());
    }
    let violations: Vec<_> = log.iter().filter(|line| line.contains("Content Security Policy")).collect();
    assert!(violations.is_empty(), "{violations:?}");
}
