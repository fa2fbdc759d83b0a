//! The stored format: what this release writes, byte for byte, and what it must be able to read for ever.
//!
//! A difference here means that records written by an earlier release are at stake. New members are added as optional ones;
//! a file in `golden/` is never changed, a new one is added beside it.

use std::sync::Arc;
use std::time::Duration;

use oauth_core::client::{Client, ClientSecret, Lifetimes, client_key};
use oauth_core::clock::Timestamp;
use oauth_core::grant::{
    Access, AccessTokens, Active, Authentication, Code, Confirmation, Details, Device, FenceKind, Grant,
    Previous, Refresh, Resources, RevokeReason, Rotation, Salt, State, UriHash, fence_key,
};
use oauth_core::handle::{GrantId, KeyId};
use oauth_core::pkce::Challenge;
use oauth_core::resource::Resource;
use oauth_core::scope::Scope;
use oauth_core::secret::{Digest, Random};
use oauth_core::server::document_key;
use oauth_core::server::keys::keys_key;
use oauth_core::storage::{
    Body, Consent, DecodeError, Document, FORMAT, Fence, Key, KeyMaterial, Keys, Marker, Namespace, Record,
    Session, SigningMaterial, StoredKey, StoredSigningKey, Version,
};
use rmpv::Value;

const THEN: Timestamp = Timestamp::from_millis(1_700_000_000_123);

/// "Random" bytes 0, 1, 2, …
#[derive(Debug)]
struct Counting;

impl Random for Counting {
    fn fill(&self, out: &mut [u8]) {
        (0..).zip(out).for_each(|(value, byte)| *byte = value);
    }
}

fn record(body: Body) -> Record {
    let key = Key::new(body.namespace(), [7; 16]);
    Record { key, version: Version::from_bytes([9; 16]), retain_until: THEN, body }
}

fn decode(namespace: Namespace, bytes: &[u8]) -> Result<Record, DecodeError> {
    Record::decode(Key::new(namespace, [7; 16]), Version::from_bytes([9; 16]), THEN, bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A golden file as stored bytes: hexadecimal digits, folded into lines.
fn stored(golden: &str) -> Vec<u8> {
    let digits: Vec<u8> = golden.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[track_caller]
fn assert_stored(body: Body, golden: &str) {
    let golden = stored(golden);
    let record = record(body);
    let encoded = record.encode();
    assert_eq!(encoded[0], 1, "the format's version");
    assert_eq!(hex(&encoded), hex(&golden), "the stored format has changed");
    assert_eq!(decode(record.key.namespace(), &golden).unwrap(), record);
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

fn resource() -> Resource {
    Resource::parse("https://api.example/v1").unwrap()
}

fn authentication() -> Authentication {
    Authentication::new(THEN).by(Some("urn:example:silver".into()), vec!["pwd".into(), "otp".into()])
}

fn full_grant(state: State) -> Grant {
    let uri = UriHash::of("https://client.example/callback");
    Grant {
        issuer: "https://issuer.example/tenant".into(),
        client_id: "client".into(),
        subject: Some("Zoë \"the\" subject".into()),
        session: Some("session".into()),
        scope: scope("read write"),
        resources: Resources::new([resource()]),
        created_at: THEN,
        expires_at: Timestamp::MAX,
        generation: 7,
        state,
        code: Some(Box::new(Code {
            digest: Digest::from_bytes([1; 24]),
            expires_at: THEN + Duration::from_secs(60),
            retain_until: THEN + Duration::from_secs(600),
            challenge: Some(Challenge::of_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
            redirect_uri: uri,
            registered_uri: uri,
            redeemed_at: Some(THEN),
        })),
        authentication: Some(authentication()),
        details: Some(Box::new(Details {
            nonce: Some("nonce".into()),
            authorization_details: Some(r#"[{"type":"payment"}]"#.into()),
            confirmation: Some(Arc::new(Confirmation::Jkt("thumbprint".into()))),
            ancestors: vec![GrantId::from_bytes([5; 16])],
            device: None,
            host_data: Some("host data".into()),
            ended_jwts: Vec::new(),
        })),
    }
}

fn access(byte: u8) -> Access {
    Access {
        digest: Digest::from_bytes([byte; 24]),
        scope: scope("read"),
        resources: Resources::new([resource()]),
        issued_at: THEN,
        expires_at: THEN + Duration::from_secs(3600),
        confirmation: None,
        authentication: None,
    }
}

fn active() -> State {
    let bound = Access {
        confirmation: Some(Arc::new(Confirmation::X5tS256("certificate".into()))),
        authentication: Some(Arc::new(authentication())),
        ..access(3)
    };
    State::Active(Active {
        access: [access(2), bound].into_iter().collect(),
        refresh: Some(Refresh {
            digest: Digest::from_bytes([4; 24]),
            expires_at: THEN + Duration::from_secs(86_400),
            previous: Some(Box::new(Previous {
                digest: Digest::from_bytes([6; 24]),
                key: KeyId::from_bytes([0xde, 0xad, 0xbe, 0xef]),
                salt: Salt::generate(&Counting),
                used_at: THEN,
                streak: 2,
                retried: true,
            })),
        }),
    })
}

fn client_grant() -> Grant {
    let state = State::Active(Active { access: AccessTokens::one(access(2)), refresh: None });
    Grant {
        subject: None,
        session: None,
        scope: Scope::empty(),
        resources: Resources::default(),
        code: None,
        authentication: None,
        details: None,
        ..full_grant(state)
    }
}

#[test]
fn an_active_grant() {
    assert_stored(Body::Grant(full_grant(active())), include_str!("golden/grant_active.hex"));
}

#[test]
fn a_grant_with_nothing_optional() {
    assert_stored(Body::Grant(client_grant()), include_str!("golden/grant_of_a_client.hex"));
}

#[test]
fn a_grant_of_a_device() {
    let device = Device {
        digest: Digest::from_bytes([11; 24]),
        expires_at: THEN + Duration::from_secs(600),
        interval: 10,
        requested_from: Some("2001:db8::1".into()),
        redeemed_at: Some(THEN),
    };
    let least = Device { requested_from: None, redeemed_at: None, ..device.clone() };
    let golden: Vec<_> = include_str!("golden/grant_device.hex").lines().collect();
    let states = [(device, State::Approved), (least, State::Requested)];
    assert_eq!(golden.len(), states.len());
    for ((device, state), golden) in states.into_iter().zip(golden) {
        let details = Some(Box::new(Details { device: Some(Box::new(device)), ..Details::default() }));
        assert_stored(Body::Grant(Grant { state, details, ..client_grant() }), golden);
    }
}

#[test]
fn a_grant_in_each_other_state() {
    let revoked = |reason| State::Revoked { at: THEN, reason };
    let states = [
        State::Requested,
        State::Approved,
        State::Denied,
        revoked(RevokeReason::Client),
        revoked(RevokeReason::Host),
        revoked(RevokeReason::Fence),
        revoked(RevokeReason::CodeReplay),
        revoked(RevokeReason::RefreshReuse),
    ];
    let golden: Vec<_> = include_str!("golden/grant_states.hex").lines().collect();
    assert_eq!(golden.len(), states.len());
    for (state, golden) in states.into_iter().zip(golden) {
        assert_stored(Body::Grant(Grant { state, ..client_grant() }), golden);
    }
}

#[test]
fn a_client() {
    let secret = ClientSecret::generate_from(&Counting);
    let lifetimes = Lifetimes { access_token: Some(Duration::from_millis(600_500)), ..Lifetimes::default() };
    let client = Client::confidential("client", &secret)
        .name("A client")
        .secret_until(&secret, THEN)
        .redirect_uri("https://client.example/callback")
        .scope("read write")
        .default_scope("read")
        .resource("https://api.example/v1")
        .serves("https://api.example/v2")
        .lifetimes(lifetimes)
        .rotation(Rotation::Never)
        .first_party()
        .build()
        .unwrap();
    assert_stored(Body::Client(Box::new(client)), include_str!("golden/client.hex"));
}

#[test]
fn a_client_that_registered_itself() {
    // Made by registration alone, so that it is read instead of built.
    let bytes = stored(include_str!("golden/client_registered.hex"));
    let record = decode(Namespace::Client, &bytes).unwrap();
    assert_eq!(hex(&record.encode()), hex(&bytes), "the stored format has changed");
    let Body::Client(client) = record.body else { panic!("a client") };
    let own = client.origin().registration().unwrap();
    assert_eq!((own.issued_at, own.expires_at), (THEN, THEN + Duration::from_secs(86_400)));
    assert_eq!((own.token, own.changed_at), (Digest::from_bytes([12; 24]), Some(THEN)));
    assert_eq!(own.allowed, Some(scope("read")));
    assert_eq!(own.echoed.as_deref(), Some(r#"{"application_type":"web"}"#));
    assert_eq!(client.redirect_uris()[0].as_str(), "https://client.example/callback");
}

#[test]
fn a_consent() {
    let consent = Consent {
        issuer: "https://issuer.example".into(),
        client_id: "client".into(),
        subject: "subject".into(),
        scope: scope("read"),
        resources: vec![resource()],
        given_at: THEN,
        expires_at: Timestamp::MAX,
    };
    assert_stored(Body::Consent(Box::new(consent)), include_str!("golden/consent.hex"));
}

#[test]
fn a_session() {
    let session = Session {
        issuer: "https://issuer.example".into(),
        subject: "subject".into(),
        username: Some("user".into()),
        digest: Digest::from_bytes([8; 24]),
        authentication: authentication(),
        expires_at: THEN + Duration::from_secs(3600),
        ended_at: Some(THEN),
    };
    assert_stored(Body::Session(Box::new(session)), include_str!("golden/session.hex"));
}

#[test]
fn a_fence_and_a_marker() {
    assert_stored(Body::Fence(Fence { not_before: THEN }), include_str!("golden/fence.hex"));
    assert_stored(Body::Marker(Marker { used_at: THEN }), include_str!("golden/marker.hex"));
}

/// Adds a member to every struct of a stored body: their members have names of one letter, enums have longer ones.
fn with_later_members(value: &mut Value) -> usize {
    match value {
        Value::Array(items) => items.iter_mut().map(with_later_members).sum(),
        Value::Map(members) => {
            let inside: usize = members.iter_mut().map(|(_, value)| with_later_members(value)).sum();
            let one_letter = |(name, _): &(Value, Value)| name.as_str().is_some_and(|name| name.len() == 1);
            if !members.iter().all(one_letter) {
                return inside;
            }
            let added = Value::Map(vec![("a".into(), Value::Array(vec![1.into(), Value::Nil]))]);
            members.insert(0, ("later".into(), added));
            inside + 1
        }
        _ => 0,
    }
}

fn encoded(body: &Value) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    rmpv::encode::write_value(&mut bytes, body).unwrap();
    bytes
}

#[test]
fn the_keys_of_an_issuer() {
    let id = KeyId::from_bytes([1, 2, 3, 4]);
    let plain = KeyMaterial::plain([5; 32]);
    let wrapped = KeyMaterial::wrapped(KeyId::from_bytes([6, 7, 8, 9]), [10; 72]);
    let issuer = "https://issuer.example";
    let keys = Keys {
        issuer: issuer.into(),
        signing: Vec::new(),
        ring: [plain, wrapped].map(|key| StoredKey { id, mints_from: THEN, key }).into(),
        not_before: Some(THEN),
    };
    assert_stored(Body::Keys(Box::new(keys)), include_str!("golden/key_record.hex"));
    let signing = [
        SigningMaterial::plain(zeroize::Zeroizing::new(vec![9; 20])),
        SigningMaterial::wrapped(id, vec![8; 40]),
    ];
    let signing = signing.map(|key| StoredSigningKey {
        kid: "kid".into(),
        algorithm: "ES256".into(),
        signs_from: THEN,
        key,
    });
    let signs = Keys { issuer: issuer.into(), ring: Vec::new(), signing: signing.into(), not_before: None };
    assert_stored(Body::Keys(Box::new(signs)), include_str!("golden/key_record_signing.hex"));
    let fence = Keys { issuer: issuer.into(), ring: Vec::new(), signing: Vec::new(), not_before: None };
    assert_stored(Body::Keys(Box::new(fence)), include_str!("golden/key_record_empty.hex"));
    assert_eq!(format!("{:?}", keys_key(issuer)), include_str!("golden/key_record_key.txt").trim_end());
}

#[test]
fn a_metadata_document() {
    let (issuer, client_id) = ("https://issuer.example", "https://client.example/metadata.json");
    let document = Document {
        issuer: issuer.into(),
        client_id: client_id.into(),
        text: r#"{"client_id":"https://client.example/metadata.json"}"#.into(),
        fetched_at: THEN,
        changed_at: Some(THEN),
    };
    assert_stored(Body::Document(Box::new(document)), include_str!("golden/document.hex"));
    assert_eq!(
        format!("{:?}", document_key(issuer, client_id)),
        include_str!("golden/document_key.txt").trim_end()
    );
}

#[test]
fn members_of_a_later_release_are_skipped() {
    let golden = stored(include_str!("golden/grant_active.hex"));
    let mut body = rmpv::decode::read_value(&mut &golden[1..]).unwrap();
    assert_eq!(encoded(&body), golden);
    // Grant, active, two access tokens, refresh token, the one before, code, two authentications, details.
    assert_eq!(with_later_members(&mut body), 10);
    let later = decode(Namespace::Grant, &encoded(&body)).unwrap();
    assert_eq!(later, record(Body::Grant(full_grant(active()))));
}

#[test]
fn optional_members_may_be_missing() {
    let state = Value::Map(vec![("active".into(), Value::Map(Vec::new()))]);
    let grant = Value::Map(vec![
        ("i".into(), "https://issuer.example/tenant".into()),
        ("c".into(), "client".into()),
        ("t".into(), 1_700_000_000_123_i64.into()),
        ("e".into(), i64::MAX.into()),
        ("g".into(), 7.into()),
        ("z".into(), state),
    ]);
    let least = encoded(&Value::Map(vec![("grant".into(), grant)]));
    let grant = Grant { state: State::Active(Active::default()), ..client_grant() };
    assert_eq!(decode(Namespace::Grant, &least).unwrap(), record(Body::Grant(grant)));
}

/// Records are found by computed keys: were one computed otherwise, what is stored under it would be lost.
#[test]
fn computed_keys() {
    let issuer = "https://issuer.example";
    let keys = [
        client_key(issuer, "client"),
        fence_key(issuer, FenceKind::Client, "one"),
        fence_key(issuer, FenceKind::Subject, "one"),
        fence_key(issuer, FenceKind::Session, "one"),
    ];
    let golden: Vec<_> = include_str!("golden/keys.txt").lines().collect();
    assert_eq!(keys.map(|key| format!("{key:?}")), *golden);
}

#[test]
fn what_is_not_a_record_is_an_error() {
    let marker = stored(include_str!("golden/marker.hex"));
    assert!(matches!(decode(Namespace::Fence, &marker), Err(DecodeError::Kind)));
    for end in 1..marker.len() {
        assert!(matches!(decode(Namespace::Marker, &marker[..end]), Err(DecodeError::Syntax(_))), "{end}");
    }
    for more in 0..=u8::MAX {
        for more in [&[more][..], &[more, 0xc0], &[more; 9]] {
            let decoded = decode(Namespace::Marker, &[&marker[..], more].concat());
            assert!(matches!(decoded, Err(DecodeError::Trailing)), "{more:?}");
        }
    }
    let empty = || Value::Map(Vec::new());
    for other in [Value::Nil, empty(), Value::Map(vec![("later".into(), empty())])] {
        assert!(
            matches!(decode(Namespace::Marker, &encoded(&other)), Err(DecodeError::Syntax(_))),
            "{other}"
        );
    }
    let state = include_str!("golden/grant_states.hex").lines().next().unwrap();
    let unknown = state.replace(&hex(b"requested"), &hex(b"suspended"));
    assert_ne!(unknown, state);
    assert!(matches!(decode(Namespace::Grant, &stored(&unknown)), Err(DecodeError::Syntax(_))));

    assert!(matches!(decode(Namespace::Marker, &[]), Err(DecodeError::Empty)));
    assert!(matches!(decode(Namespace::Marker, &[2, 0x80]), Err(DecodeError::Format(2))));
}
