//! No secret in a log line, a trace, an error, a debug text or a stored byte.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use core_tests::{Assertion, Flow, Heard, Stage, VERIFIER, World, code_of, form, secret};
use http::HeaderMap;
use oauth_core::authorize::{AuthorizeError, AuthorizeError::Redirect, AuthorizeError::Show};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::error::Error;
use oauth_core::server::AuthorizeStep;
use oauth_core::storage::Index;
use oauth_core::storage::testing::{Fault, block_on};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing_subscriber::fmt::MakeWriter;

const PASSWORD: &str = "Correct-Horse-Battery-Staple";

/// Everything that somebody could read later.
#[derive(Clone, Default)]
struct Readable(Arc<Mutex<Vec<u8>>>);

impl io::Write for Readable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Readable {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Readable {
    /// All that an audit sink was told.
    fn heard(&self, heard: &Heard) {
        for line in heard.take() {
            self.text(line.all);
        }
    }

    fn text(&self, text: impl AsRef<[u8]>) {
        let mut all = self.0.lock().unwrap();
        all.extend_from_slice(text.as_ref());
        all.push(b'\n');
    }

    fn debug(&self, value: &impl Debug) {
        self.text(format!("{value:?}\n{value:#?}"));
    }

    fn error(&self, error: &Error) {
        self.debug(error);
        self.text(format!("{error}\n{}\n{}", error.reason(), error.description()));
    }

    fn refused(&self, error: &AuthorizeError) {
        self.debug(error);
        self.text(error.to_string());
        match error {
            Show(error) => self.text(error.reason()),
            Redirect(error) => self.text(error.description()),
        }
    }

    fn records(&self, world: &World) {
        for record in world.ledger.written() {
            self.debug(&record);
            let stored = record.encode();
            self.text(&stored);
            // Raw bytes of a secret show as its text wherever they begin.
            (0..3).for_each(|start| self.text(URL_SAFE_NO_PAD.encode(&stored[start..])));
            self.text(record.key.to_bytes());
        }
    }

    fn assert_free_of(&self, canaries: &[(&str, String)]) {
        let all = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        assert!(!all.is_empty());
        for (name, canary) in canaries {
            for form in spellings(canary) {
                let found =
                    all.find(&form).map(|at| all[at.saturating_sub(80)..].chars().take(200).collect());
                assert_eq!(found, None::<String>, "{name} is readable as {form:?}");
            }
        }
    }
}

/// The canary as it is, in base64, in percent form, and the first characters of what is secret in it.
fn spellings(canary: &str) -> Vec<String> {
    // Key id, generation and grant id come first in a handle and are no secrets: 24 bytes, 32 characters.
    let secret = match canary.split_once('_') {
        Some(("oac" | "oat" | "ort", body)) => &body[32..],
        _ => canary,
    };
    vec![
        canary.to_owned(),
        STANDARD_NO_PAD.encode(canary),
        URL_SAFE_NO_PAD.encode(canary),
        utf8_percent_encode(canary, NON_ALPHANUMERIC).to_string(),
        secret.chars().take(8).collect(),
        STANDARD_NO_PAD.encode(secret),
    ]
}

/// Runs with every trace captured.
fn captured(run: impl AsyncFnOnce(&Readable) -> Vec<(&'static str, String)>) {
    let readable = Readable::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(readable.clone())
        .with_ansi(false)
        .finish();
    let canaries = tracing::subscriber::with_default(subscriber, || {
        tracing::trace!("the capture works");
        block_on(run(&readable))
    });
    assert!(String::from_utf8_lossy(&readable.0.lock().unwrap()).contains("the capture works"));
    readable.assert_free_of(&canaries);
}

#[test]
fn the_search_finds_what_is_there() {
    let readable = Readable::default();
    readable.text("… oat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAsecretse …");
    let canary = format!("oat_{}{}", "B".repeat(32), "secretsecret");
    let search = std::panic::catch_unwind(|| readable.assert_free_of(&[("a token", canary)]));
    assert!(search.is_err());
}

#[test]
fn lg_01_lg_05_ac_26_whole_lives_leave_no_secret_behind() {
    captured(async |readable| {
        let post = ClientSecret::from_text("secret-sent-in-the-body");
        let heard = Heard::default();
        let world = World::with(|builder| {
            builder
                .audit(heard.clone())
                .grant_type(Assertion)
                .max_retry_streak(9)
                .max_access_tokens(2)
                .client(Client::confidential("post", &post).redirect_uri(core_tests::APP).secret_in_body())
                .client(Client::public("device").grant_types(["urn:example:assertion"]).scope("read"))
        });
        let mut canaries = vec![
            ("the client's secret", secret("web")),
            ("the posted secret", post.expose().to_owned()),
            ("the verifier", VERIFIER.to_owned()),
        ];
        let login = world.login("alice").acr("gold").amr(["pwd"]);

        let step = world.open(&World::url("web", &[("login_hint", "al")]), None).await.unwrap();
        readable.debug(&step);
        let cookie = world.cookie().unwrap();
        canaries.push(("the browser's cookie", cookie.split_once('=').unwrap().1.to_owned()));
        let AuthorizeStep::Login(sign_in) = step else { panic!("a sign-in") };
        let AuthorizeStep::Consent(pending) =
            world.open(&sign_in.return_to, Some(login.clone())).await.unwrap()
        else {
            panic!("a consent page")
        };
        let ticket = pending.ticket();
        readable.debug(&pending);
        let head = world.head("POST", "/authorize");
        let decision = world.server.resume_pending(&head, &ticket, Some(login.clone())).await.unwrap();
        readable.debug(&decision);
        let answer = decision.accept(None).await.unwrap();
        readable.debug(&answer);
        let code = code_of(&answer);
        canaries.extend([("the ticket", ticket), ("the code", code.clone())]);

        let mut tokens = world.redeem("web", &code).await.unwrap();
        for _ in 0..4 {
            readable.debug(&tokens);
            let refresh = tokens.refresh_token.clone().unwrap();
            canaries.extend([("an access token", tokens.access_token), ("a refresh token", refresh.clone())]);
            world.refresh("web", &refresh, &[]).await.unwrap();
            tokens = world.refresh("web", &refresh, &[("scope", "read")]).await.unwrap();
        }
        readable.debug(&world.server.verify(&tokens.access_token).await.unwrap());
        readable.debug(&world.introspect("web", &tokens.access_token).await.unwrap());
        readable.debug(&world.server.grants().list(Index::Subject("alice")).await.unwrap());
        world.revoke("web", &tokens.access_token).await.unwrap();
        for code in [&code, &code] {
            let error = world.redeem("web", code).await.unwrap_err();
            world.server.audit().refused("token", &error);
            readable.error(&error);
        }
        let body = form(&[
            ("client_id", "device"),
            ("grant_type", "urn:example:assertion"),
            ("assertion", "jti-that-is-a-secret.alice"),
        ]);
        let tokens = world.server.token(&HeaderMap::new(), body.as_bytes()).await.unwrap();
        canaries.extend([("the proof", "jti-that-is-a-secret".to_owned()), ("a token", tokens.access_token)]);
        readable.error(&world.server.token(&HeaderMap::new(), body.as_bytes()).await.unwrap_err());
        let client = Client::confidential("stored", &ClientSecret::from_text(PASSWORD));
        let client = client.redirect_uri(core_tests::APP).build().unwrap();
        world.server.clients().put(client).await.unwrap();
        canaries.push(("a stored client's secret", PASSWORD.to_owned()));

        readable.heard(&heard);
        for told in ["refresh_retried", "TokenRefreshed {", "GrantRevoked {", "RequestRefused {"] {
            let all = String::from_utf8_lossy(&readable.0.lock().unwrap()).into_owned();
            assert!(all.contains(told), "nothing tells of {told}");
        }
        readable.debug(&world.server);
        readable.debug(&world.server.handles());
        readable.records(&world);
        canaries
    });
}

#[test]
fn lg_01_ac_18_no_error_repeats_what_was_sent() {
    captured(async |readable| {
        let heard = Heard::default();
        let world = World::with(|builder| builder.audit(heard.clone()));
        let audit = world.server.audit();
        let tokens = world.tokens("web", "alice").await;
        let other = world.approve("web", "bob").await.unwrap();
        let refresh = tokens.refresh_token.unwrap();
        let (access, wrong) = (tokens.access_token, "wrong-secret-of-the-client");
        let mut forged = access.clone();
        forged.replace_range(40..44, "AAAA");
        let made_up = "SECRETCODE-that-nobody-made";
        for sent in [&*access, &refresh, &other, &forged, made_up, VERIFIER, PASSWORD] {
            for (name, grant_type) in [
                ("code", "authorization_code"),
                ("refresh_token", "refresh_token"),
                ("password", "password"),
                ("code_verifier", "authorization_code"),
                ("scope", "client_credentials"),
                ("resource", "client_credentials"),
            ] {
                let pairs = [("grant_type", grant_type), (name, sent)];
                if let Err(error) = world.token("web2", &pairs).await {
                    audit.refused("token", &error);
                    readable.error(&error);
                }
            }
            readable.error(&world.token("web2", &[("grant_type", sent)]).await.unwrap_err());
            if let Err(error) = world.server.verify(sent).await {
                readable.debug(&error);
                readable.text(error.to_string());
            }
            for hint in ["access_token", sent] {
                let (headers, body) = World::signed("web2", &[("token", sent), ("token_type_hint", hint)]);
                readable.debug(&world.server.introspect(&headers, body.as_bytes()).await);
                readable.debug(&world.server.revoke(&headers, body.as_bytes()).await);
            }
            for name in
                ["code_challenge", "prompt", "max_age", "scope", "resource", "response_type", "resume"]
            {
                if let Err(error) = world.open(&World::url("spa", &[(name, sent)]), None).await {
                    audit.refused("authorize", &error);
                    readable.refused(&error);
                }
            }
            let head = world.head("POST", "/authorize");
            let answer = world.server.resume_pending(&head, sent, Some(world.login("alice"))).await;
            let error = answer.unwrap_err();
            audit.refused("authorize", &error);
            readable.refused(&error);
            for header in
                [format!("Bearer {sent}"), format!("Basic {}", STANDARD_NO_PAD.encode(sent)), sent.to_owned()]
            {
                let mut headers = HeaderMap::new();
                headers.insert("authorization", header.parse().unwrap());
                let body = form(&[("grant_type", "client_credentials")]);
                let error = world.server.token(&headers, body.as_bytes()).await.unwrap_err();
                audit.refused("token", &error);
                readable.error(&error);
            }
        }
        let body =
            form(&[("grant_type", "client_credentials"), ("client_id", "m2m"), ("client_secret", wrong)]);
        let error = world.server.token(&HeaderMap::new(), body.as_bytes()).await.unwrap_err();
        audit.refused("token", &error);
        readable.error(&error);
        readable.heard(&heard);
        readable.records(&world);
        vec![
            ("an access token", access),
            ("a refresh token", refresh),
            ("a code", other),
            ("a forged token", forged),
            ("a made-up code", made_up.to_owned()),
            ("a wrong secret", wrong.to_owned()),
            ("a verifier", VERIFIER.to_owned()),
            ("a password", PASSWORD.to_owned()),
        ]
    });
}

#[test]
fn lg_01_nor_does_a_failing_store_bring_one_to_light() {
    for flow in Flow::ALL {
        captured(async |readable| {
            let stage = Stage::new(flow);
            stage.store.script(|call| (call.index > 0).then_some(Fault::LoseAnswer));
            readable.debug(&stage.run().await.map(drop));
            stage.store.script(|_| Some(Fault::Refuse));
            readable.debug(&stage.run().await.map(drop));
            let error = stage.world.refresh("web", &stage.refresh, &[]).await.unwrap_err();
            readable.error(&error);
            readable.records(&stage.world);
            vec![("the client's secret", secret("web")), ("the verifier", VERIFIER.to_owned())]
                .into_iter()
                .chain((!stage.access.is_empty()).then(|| ("an access token", stage.access.clone())))
                .chain((!stage.refresh.is_empty()).then(|| ("a refresh token", stage.refresh.clone())))
                .collect()
        });
    }
}

#[test]
fn lg_03_what_a_request_says_cannot_begin_a_line_of_its_own() {
    let world = World::new();
    block_on(async {
        let body = form(&[("client_id", "a\n2026 INFO admin login"), ("grant_type", "client_credentials")]);
        let error = world.server.token(&HeaderMap::new(), body.as_bytes()).await.unwrap_err();
        for text in [error.to_string(), error.reason(), format!("{error:?}"), error.description().to_owned()]
        {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        let url = format!("/authorize?{}", form(&[("client_id", "a\n2026 INFO"), ("response_type", "code")]));
        let error = world.open(&url, None).await.unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    });
}

#[test]
fn the_search_finds_raw_bytes_too() {
    let (world, readable) = (World::new(), Readable::default());
    let code = block_on(world.approve("web", "alice")).unwrap();
    readable.records(&world);
    let written = world.ledger.written();
    let digest = written[0].grant().unwrap().code.as_ref().unwrap().digest;
    let canary = format!("oac_{}{}", "B".repeat(32), URL_SAFE_NO_PAD.encode(digest.as_bytes()));
    let search = std::panic::catch_unwind(|| readable.assert_free_of(&[("a digest", canary)]));
    assert!(search.is_err());
    readable.assert_free_of(&[("a code", code)]);
}

/// The database alone makes no working token: nothing stored is accepted as a secret.
#[test]
fn ac_26_what_is_stored_cannot_be_redeemed() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        world.tokens("web", "bob").await;
        let (head, tag) = (&code[..36], &code[36 + 43..]);
        let mut tried = 0;
        for record in world.ledger.written() {
            for bytes in record.encode().windows(32) {
                let secret = URL_SAFE_NO_PAD.encode(bytes);
                assert!(world.redeem("web", &format!("{head}{secret}{tag}")).await.is_err());
                assert!(world.redeem("web", &secret).await.is_err());
                tried += 1;
            }
        }
        assert!(tried > 500, "{tried}");
        assert!(world.redeem("web", &code).await.is_ok());
    });
}
