//! What the operator reads.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Once;

use oauth_core::storage::testing::Fault;
use oauth_tower::bearer::RequireScopeLayer;
use tower::Layer;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::world::{Answer, Api, World, ask, bare, bearer, request};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what each thread says: every test has its own.
struct Lines;

impl Lines {
    /// For the whole process, since events are switched off for all threads where one that listens to nothing meets them
    /// first.
    fn listen() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::subscriber::set_global_default(Self).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
    }

    fn take() -> Vec<String> {
        LINES.take()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| lines.push(line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn one_event_for_each_refusal_and_never_a_token() {
    let world = World::new();
    let token = world.token("read").await;
    let layer = world.layer();
    let write = world.layer().require_scope("write");
    Lines::listen();
    Lines::take();

    ask(&layer, bearer(&token)).await;
    assert_eq!(Lines::take(), [""; 0], "nothing is said of what passes");
    ask(&write, bare()).await;
    ask(&write, bearer(&token)).await;
    ask(&write, bearer("canary")).await;
    ask(&write, bearer(&token[..token.len() - 1])).await;
    ask(&write, request([format!("Bearer {token} canary")])).await;
    Answer::of(RequireScopeLayer::new("read").layer(Api::default()), bearer(&token)).await;
    world.store.script(|_| Some(Fault::Refuse));
    ask(&layer, bearer(&token)).await;

    let lines = Lines::take();
    let expected = [
        ("INFO", "error=\"no_token\""),
        ("INFO", "error=\"insufficient_scope\""),
        ("INFO", "error=\"invalid_token\""),
        ("INFO", "error=\"invalid_token\""),
        ("INFO", "error=\"invalid_request\""),
        ("ERROR", "error=\"server_error\""),
        ("WARN", "error=\"temporarily_unavailable\""),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (level, error)) in lines.iter().zip(expected) {
        assert!(line.starts_with(level) && line.contains(error) && line.contains("reason="), "{line}");
        assert!(line.contains("bearer_refused"));
        assert!(!line.contains("canary") && !line.contains(&token[4..20]), "{line}");
    }
    assert!(lines[1].contains("client_id=m2m"), "{}", lines[1]);
}
