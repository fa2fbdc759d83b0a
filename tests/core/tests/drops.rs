//! A request whose future is dropped, at every await of every flow: the state before or the state after, and a retry works.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use core_tests::{Flow, Stage};
use oauth_core::storage::testing::{Fault, block_on};

/// Polls a future so many times; its output, if it has come.
fn poll_times<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// `RL-10`: every call of the store is pending once, before it happens or before its answer is given.
fn drop_everywhere(flow: Flow) {
    let calm = Stage::new(flow);
    let before = calm.shape();
    let outcome = block_on(calm.run());
    let after = calm.shape();
    for fault in [Fault::Delay(1), Fault::DelayAnswer(1)] {
        for polls in 0.. {
            let case = format!("{flow:?}, {fault:?}, dropped after {polls} polls");
            let stage = Stage::new(flow);
            stage.store.script(move |_| Some(fault));
            let output = poll_times(stage.run(), polls);
            let finished = output.is_some();
            match output {
                Some(output) => {
                    assert_eq!(output.is_ok(), outcome.is_ok(), "{case}");
                    assert_eq!(stage.shape(), after, "{case}");
                }
                None => {
                    let shape = stage.shape();
                    let proof_used = flow == Flow::Custom && shape == ["used"];
                    assert!(
                        shape == before || shape == after || proof_used,
                        "invariant 8: {case}: {shape:?}"
                    );
                }
            }
            if finished {
                break;
            }
            block_on(stage.settle(&case));
        }
    }
}

macro_rules! each_flow {
    ($($name:ident: $flow:ident,)*) => {
        $(#[test] fn $name() { drop_everywhere(Flow::$flow); })*

        #[test]
        fn no_flow_is_forgotten() {
            assert_eq!([$(Flow::$flow),*], Flow::ALL);
        }
    };
}

each_flow! {
    rl_10_approve: Approve,
    rl_10_redeem: Redeem,
    rl_10_replay: Replay,
    rl_10_refresh: Refresh,
    rl_10_retry: Retry,
    rl_10_reuse: Reuse,
    rl_10_client_credentials: ClientCredentials,
    rl_10_custom_grant_type: Custom,
    rl_10_revoke_refresh_token: RevokeRefresh,
    rl_10_revoke_access_token: RevokeAccess,
    rl_10_introspect: Introspect,
    rl_10_revoke_all: RevokeAll,
}
