//! Every login × consent × prompt × max_age × resume, against the rules written a second time.

use std::time::Duration;

use super::*;
use crate::authorize::{Login, LoginReason, MAX_DETOURS, Next, Query, Situation};
use crate::clock::Timestamp;
use crate::error::ErrorCode;
use crate::handle::ResumeClaims;
use crate::scope::Scope;
use crate::storage::Consent;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);

fn ago(seconds: u64) -> Timestamp {
    NOW - Duration::from_secs(seconds)
}

fn consent(client: &Client, scope: &str, resources: bool, expires_at: Timestamp) -> Consent {
    Consent {
        issuer: ISSUER.into(),
        client_id: client.id().into(),
        subject: "alice".into(),
        scope: Scope::parse(scope).unwrap(),
        resources: if resources { client.resources().iter().cloned().collect() } else { Vec::new() },
        given_at: ago(3600),
        expires_at,
    }
}

fn clients() -> Vec<(Client, bool)> {
    let own = Client::public("web").redirect_uri("https://app.example/cb").scope("read").first_party();
    let native = Client::public("web").redirect_uri("https://app.example/cb").scope("read");
    vec![(web(), false), (own.build().unwrap(), true), (native.build().unwrap(), false)]
}

fn name(next: &Next) -> &'static str {
    match next {
        Next::Login(LoginReason::NotSignedIn) => "not signed in",
        Next::Login(LoginReason::PromptLogin) => "prompt=login",
        Next::Login(LoginReason::SelectAccount) => "select_account",
        Next::Login(LoginReason::TooOld) => "too old",
        Next::Consent { .. } => "consent",
        Next::Refuse(error) => error.code().as_str(),
        Next::Issue => "issue",
        Next::Stuck => "stuck",
    }
}

#[test]
fn the_whole_table() {
    let prompts = ["", "none", "login", "consent", "select_account", "login+consent", "login+select_account"];
    let max_ages = [None, Some(0), Some(60), Some(3600), Some(u32::MAX)];
    // Seconds ago; a resume began 30 s ago.
    let logins = [None, Some(0), Some(29), Some(30), Some(31), Some(60), Some(61), Some(100_000)];
    let resumes = [None, Some(0), Some(1), Some(MAX_DETOURS - 1), Some(MAX_DETOURS), Some(u8::MAX)];
    let mut seen = std::collections::HashMap::<_, usize>::new();
    for (client, first_party) in clients() {
        let consents = [
            (None, false),
            (Some(consent(&client, "read write", true, NOW + Duration::from_millis(1))), true),
            (Some(consent(&client, "read", true, NOW)), false),
            (Some(consent(&client, "write", true, Timestamp::MAX)), false),
            (Some(consent(&client, "read", false, Timestamp::MAX)), client.resources().is_empty()),
            (
                Some(Consent { subject: "bob".into(), ..consent(&client, "read", true, Timestamp::MAX) }),
                false,
            ),
            (
                Some(Consent { client_id: "x".into(), ..consent(&client, "read", true, Timestamp::MAX) }),
                false,
            ),
        ];
        for prompt in prompts {
            for max_age in max_ages {
                let max_age_text = max_age.map_or(String::new(), |age| format!("&max_age={age}"));
                let raw = query(&format!("&prompt={prompt}{max_age_text}"));
                let request = Query::parse(&raw).unwrap().check(&client).unwrap();
                for age in logins {
                    let login = age.map(|age| Login::new("alice", ago(age)));
                    for step in resumes {
                        let resume =
                            step.map(|step| ResumeClaims { digest: [0; 32], started: ago(30), step });
                        for (consent, covers) in &consents {
                            let next = Situation {
                                request: &request,
                                client: &client,
                                login: login.as_ref(),
                                resume: resume.as_ref(),
                                consent: consent.as_ref(),
                                now: NOW,
                            }
                            .next();
                            let after_detour = step.is_some() && age.is_some_and(|age| age <= 30);
                            let again = match age {
                                None => Some("not signed in"),
                                Some(_) if after_detour => None,
                                Some(_) if prompt.contains("login") => Some("prompt=login"),
                                Some(_) if prompt.contains("select") => Some("select_account"),
                                Some(age) => match max_age {
                                    Some(0) => Some("too old"),
                                    Some(max) if age > max.into() => Some("too old"),
                                    _ => None,
                                },
                            };
                            let ask = prompt.contains("consent") || !(first_party || *covers);
                            let expected = match (again, prompt) {
                                (Some(_), "none") => "login_required",
                                (Some(_), _) if step.is_some_and(|step| step >= MAX_DETOURS) => "stuck",
                                (Some(reason), _) => reason,
                                (None, "none") if ask => "consent_required",
                                (None, _) if ask => "consent",
                                (None, _) => "issue",
                            };
                            assert_eq!(
                                name(&next),
                                expected,
                                "{prompt} {max_age:?} {age:?} {step:?} {consent:?}"
                            );
                            *seen.entry(expected).or_default() += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
}

#[test]
fn br_16_only_what_is_new_is_new() {
    let client = web();
    let request = Query::parse(&query("&scope=read+write+admin")).unwrap().check(&client).unwrap();
    let consent = consent(&client, "read admin", true, Timestamp::MAX);
    let login = Login::new("alice", NOW);
    let situation = Situation {
        request: &request,
        client: &client,
        login: Some(&login),
        resume: None,
        consent: Some(&consent),
        now: NOW,
    };
    assert!(matches!(situation.next(), Next::Consent { new } if new.as_str() == "write"));
}

#[test]
fn dc_17_consent_to_a_native_public_client_is_never_remembered() {
    let native = |uri: &str| Client::public("web").redirect_uri(uri).scope("read");
    let raw = |uri: &str, prompt: &str| {
        query(&format!("&prompt={prompt}")).replace("https%3A%2F%2Fapp.example%2Fcb", uri)
    };
    for (client, uri) in [
        (native("com.example.app:/cb"), "com.example.app:/cb"),
        (native("com.example.app:/cb").first_party(), "com.example.app:/cb"),
        (native("http://127.0.0.1/cb"), "http://127.0.0.1:5000/cb"),
        (native("http://127.0.0.1/cb").first_party(), "http://127.0.0.1:5000/cb"),
        (native("https://localhost/cb"), "https://localhost/cb"),
        (native("https://127.0.0.2:8443/cb").first_party(), "https://127.0.0.2:8443/cb"),
        (native("https://[::1]:8443/cb"), "https://[::1]:8443/cb"),
    ] {
        let client = client.build().unwrap();
        let login = Login::new("alice", NOW);
        let consent = consent(&client, "read", true, Timestamp::MAX);
        for (prompt, expected) in [("", "consent"), ("none", ErrorCode::ConsentRequired.as_str())] {
            let raw = raw(uri, prompt);
            let request = Query::parse(&raw).unwrap().check(&client).unwrap();
            let situation = Situation {
                request: &request,
                client: &client,
                login: Some(&login),
                resume: None,
                consent: Some(&consent),
                now: NOW,
            };
            assert_eq!(name(&situation.next()), expected);
        }
    }
}

#[test]
fn an_authentication_counts_from_the_arrival_on_as_precisely_as_the_host_tells() {
    let client = web();
    let request = Query::parse(&query("&prompt=login")).unwrap().check(&client).unwrap();
    let resume = ResumeClaims { digest: [0; 32], started: Timestamp::from_millis(10_900), step: 1 };
    for (millis, met) in
        [(10_000, true), (10_999, true), (10_900, true), (10_899, false), (9_999, false), (9_000, false)]
    {
        let login = Login::new("alice", Timestamp::from_millis(millis));
        let situation = Situation {
            request: &request,
            client: &client,
            login: Some(&login),
            resume: Some(&resume),
            consent: None,
            now: NOW,
        };
        assert_eq!(matches!(situation.next(), Next::Consent { .. }), met, "{millis}");
    }
}
