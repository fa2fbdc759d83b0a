//! Attacks on the text of a handle.

use super::*;
use crate::grant::Salt;
use crate::secret::{Digest, SeededRandom};

const ISSUER: &str = "https://as.example";

fn handles(ring: KeyRing) -> Handles {
    Handles::new(ISSUER, ring, Prefixes::default())
}

fn sample() -> (Handles, GrantId, Secret32) {
    let random = SeededRandom::new(7);
    let handles = handles(KeyRing::generate(&random));
    (handles, GrantId::new_random(&random), Secret32::generate(&random))
}

/// A handle as its client gets it.
fn mint(handles: &Handles, kind: Kind, grant: GrantId, generation: u32, secret: &Secret32) -> String {
    handles.write(&handles.mint(kind, grant, generation, secret.clone()))
}

const KINDS: [Kind; 3] = [Kind::Code, Kind::Access, Kind::Refresh];

#[test]
fn what_is_minted_is_parsed() {
    let (handles, grant, secret) = sample();
    for (kind, prefix) in KINDS.into_iter().zip(["oac_", "oat_", "ort_"]) {
        let text = mint(&handles, kind, grant, u32::MAX - 1, &secret);
        assert!(text.starts_with(prefix));
        assert_eq!((text.len(), text.capacity()), (4 + 96, 4 + 96));
        let minted =
            handles.mint_with(handles.current_key(), kind, grant, u32::MAX - 1, secret.clone()).unwrap();
        assert_eq!(handles.write(&minted), text);
        for parsed in [handles.parse(kind, &text).unwrap(), handles.parse_any(&text).unwrap()] {
            assert_eq!(parsed.kind, kind);
            assert_eq!((parsed.key_id, parsed.grant), (handles.current_key(), grant));
            assert_eq!((parsed.generation, parsed.authenticity), (u32::MAX - 1, Authenticity::Genuine));
            assert!(parsed.secret().ct_eq(&secret));
            assert_eq!(parsed.digest(), minted.digest());
            assert_eq!(handles.write(&parsed), text);
        }
    }
}

/// Handles are on their way and digests at rest when a new version starts: a change here is a change of the stored format.
#[test]
fn the_same_key_and_secret_always_make_the_same_text_and_digest() {
    let handles = handles(KeyRing::generate(&SeededRandom::new(7)));
    let (grant, secret) = (GrantId::from_bytes([0x11; 16]), Secret32::new([0x22; 32]));
    let text = mint(&handles, Kind::Refresh, grant, 5, &secret);
    let handle = handles.parse(Kind::Refresh, &text).unwrap();
    let salt = Salt::from_bytes([0x33; 12]);
    let next = handles.derive_successors(handle.key_id, &secret, salt, grant, 5).unwrap();
    assert!(text.ends_with("IiKNbDnog7h7hSqoKZKGBCXO"), "{text}");
    let starts = |bytes: &[u8]| u64::from_be_bytes(*bytes.first_chunk().unwrap());
    assert_eq!(starts(handle.digest().as_bytes()), 0xa4d9_6733_e853_ea76);
    assert_eq!(starts(next.refresh().expose()), 0x755c_8dbf_3c89_9bad);
    let access = next.access(["read", "https://api.example"]);
    assert_eq!(starts(access.expose()), 0x046f_4126_9616_45a1);
}

#[test]
fn ac_12_rt_26_no_handle_with_a_flipped_bit_is_genuine() {
    let (handles, grant, secret) = sample();
    let text = mint(&handles, Kind::Refresh, grant, 3, &secret);
    let original = handles.parse(Kind::Refresh, &text).unwrap();
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(flipped) = String::from_utf8(bytes) else { continue };
        match handles.parse(Kind::Refresh, &flipped) {
            Err(_) => {}
            // A flip within the key id names a key that the ring does not have: nothing vouches for the handle.
            Ok(parsed) => {
                assert_eq!(parsed.authenticity, Authenticity::UnknownKey, "bit {bit}");
                assert_ne!(parsed.key_id, original.key_id);
            }
        }
    }
}

#[test]
fn ac_12_rt_26_truncated_extended_and_respelled_handles_are_malformed() {
    let (handles, grant, secret) = sample();
    let text = mint(&handles, Kind::Code, grant, 0, &secret);
    for end in 0..text.len() {
        assert_eq!(handles.parse(Kind::Code, &text[..end]).unwrap_err(), HandleError::Malformed);
        assert_eq!(handles.parse_any(&text[text.len() - end..]).unwrap_err(), HandleError::Malformed);
    }
    let body = &text[4..];
    let with_plus = format!("{}+", &text[..text.len() - 1]);
    let with_padding = format!("{}=", &text[..text.len() - 1]);
    let wide = format!("{}é", &text[..text.len() - 2]);
    let huge = format!("oac_{}", "A".repeat(1 << 20));
    let respelled = [
        format!("{text}A"),
        format!("{text}="),
        format!("{text}===="),
        format!("{text}\n"),
        format!(" {text}"),
        format!("OAC_{body}"),
        format!("oac-{body}"),
        format!("oac__{body}"),
        format!("_{body}"),
        body.to_owned(),
        with_plus,
        with_padding,
        wide,
        huge,
        String::new(),
        "_".to_owned(),
        "oac_".to_owned(),
    ];
    for other in &respelled {
        assert_eq!(handles.parse(Kind::Code, other).unwrap_err(), HandleError::Malformed);
    }
}

#[test]
fn ac_12_rt_26_no_handle_in_other_case_is_genuine() {
    let (handles, grant, secret) = sample();
    let text = mint(&handles, Kind::Code, grant, 0, &secret);
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphabetic()) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = byte ^ 0x20;
        let changed = String::from_utf8(bytes).unwrap();
        let genuine = handles.parse(Kind::Code, &changed).map(|h| h.authenticity == Authenticity::Genuine);
        assert!(!genuine.unwrap_or(false), "at {at}");
    }
}

#[test]
fn ac_14_random_text_of_the_right_shape_is_never_genuine() {
    let (handles, ..) = sample();
    let stranger = self::handles(KeyRing::new([9; 32]));
    let random = SeededRandom::new(8);
    for _ in 0..1000 {
        let (grant, secret) = (GrantId::new_random(&random), Secret32::generate(&random));
        let foreign = mint(&stranger, Kind::Code, grant, 0, &secret);
        assert_eq!(handles.parse(Kind::Code, &foreign).unwrap().authenticity, Authenticity::UnknownKey);
        // The key id is public: a forger copies it.
        let own = mint(&handles, Kind::Code, grant, 0, &secret);
        let guessed = format!("{}{}", &own[..12], &foreign[12..]);
        assert_eq!(handles.parse(Kind::Code, &guessed).unwrap_err(), HandleError::Forged);
    }
}

#[test]
fn ac_15_rt_25_a_handle_of_one_kind_is_not_one_of_another() {
    let (handles, grant, secret) = sample();
    for minted in KINDS {
        let text = mint(&handles, minted, grant, 0, &secret);
        for asked in KINDS.into_iter().filter(|kind| *kind != minted) {
            assert_eq!(handles.parse(asked, &text).unwrap_err(), HandleError::WrongKind);
            let renamed = format!("{}{}", Prefixes::default().get(asked), &text[3..]);
            assert_eq!(handles.parse(asked, &renamed).unwrap_err(), HandleError::Forged);
            assert_eq!(handles.parse_any(&renamed).unwrap_err(), HandleError::Forged);
        }
    }
}

#[test]
fn ac_17_a_handle_of_another_issuer_with_the_same_ring_is_forged() {
    let ring = KeyRing::new([1; 32]);
    let (_, grant, secret) = sample();
    let here = handles(ring.clone());
    for issuer in ["https://as.example/", "https://as.example/tenant", "https://as.exampl", ""] {
        let text =
            mint(&Handles::new(issuer, ring.clone(), Prefixes::default()), Kind::Code, grant, 0, &secret);
        assert_eq!(here.parse(Kind::Code, &text).unwrap_err(), HandleError::Forged);
    }
}

#[test]
fn spliced_handles_are_forged() {
    let (handles, grant, secret) = sample();
    let (other_grant, other_secret) = (GrantId::from_bytes([1; 16]), Secret32::new([2; 32]));
    let text = mint(&handles, Kind::Refresh, grant, 1, &secret);
    let others = [
        mint(&handles, Kind::Refresh, other_grant, 1, &secret),
        mint(&handles, Kind::Refresh, grant, 1, &other_secret),
        mint(&handles, Kind::Refresh, grant, 2, &secret),
        mint(&handles, Kind::Code, grant, 1, &secret),
    ];
    for other in others {
        // The last 24 characters hold the tag; the one before starts a whole group of bytes.
        let spliced = format!("{}{}", &text[..76], &other[76..]);
        assert_eq!(handles.parse(Kind::Refresh, &spliced).unwrap_err(), HandleError::Forged);
    }
}

#[test]
fn after_a_rotation_old_handles_verify_and_new_ones_name_the_new_key() {
    let (_, grant, secret) = sample();
    let old = handles(KeyRing::new([1; 32]));
    let new = handles(KeyRing::new([2; 32]).with_previous([1; 32]));
    let text = mint(&old, Kind::Refresh, grant, 0, &secret);
    let parsed = new.parse(Kind::Refresh, &text).unwrap();
    assert_eq!((parsed.authenticity, parsed.key_id), (Authenticity::Genuine, old.current_key()));
    assert_ne!(new.current_key(), old.current_key());
    let again = new.mint_with(old.current_key(), Kind::Refresh, grant, 0, secret.clone()).unwrap();
    assert_eq!(new.write(&again), text);
    let minted = mint(&new, Kind::Refresh, grant, 0, &secret);
    assert_eq!(new.parse(Kind::Refresh, &minted).unwrap().key_id, new.current_key());
    assert!(old.mint_with(new.current_key(), Kind::Refresh, grant, 0, secret).is_none());
}

#[test]
fn after_the_loss_of_its_key_a_handle_keeps_its_digest() {
    let (_, grant, secret) = sample();
    let (before, after) = (handles(KeyRing::new([1; 32])), handles(KeyRing::new([2; 32])));
    let minted = before.mint(Kind::Refresh, grant, 4, secret);
    let parsed = after.parse(Kind::Refresh, &before.write(&minted)).unwrap();
    assert_eq!((parsed.authenticity, parsed.generation), (Authenticity::UnknownKey, 4));
    assert_eq!(parsed.digest(), minted.digest());
}

/// Nothing but the digest vouches for a handle whose key is lost.
#[test]
fn ac_12_rt_26_after_the_loss_of_its_key_no_altered_handle_has_its_digest() {
    let (_, grant, secret) = sample();
    let (before, after) = (handles(KeyRing::new([1; 32])), handles(KeyRing::new([2; 32])));
    let text = mint(&before, Kind::Refresh, grant, 4, &secret);
    let digest = after.parse(Kind::Refresh, &text).unwrap().digest();
    let mut altered = 0;
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(flipped) = String::from_utf8(bytes) else { continue };
        let Ok(parsed) = after.parse(Kind::Refresh, &flipped) else { continue };
        // What comes after the group of characters that ends the secret is the tag's, which nobody can check any more.
        if bit / 8 < 76 {
            assert_ne!(parsed.digest(), digest, "bit {bit}");
            altered += 1;
        }
    }
    assert!(altered > 200, "{altered}");
}

#[test]
fn the_digest_is_of_all_that_a_handle_says() {
    let (handles, grant, secret) = sample();
    let other_key = self::handles(KeyRing::new([9; 32]));
    let (other_grant, other_secret) = (GrantId::from_bytes([1; 16]), Secret32::new([2; 32]));
    let digests = [
        handles.mint(Kind::Refresh, grant, 1, secret.clone()),
        handles.mint(Kind::Access, grant, 1, secret.clone()),
        handles.mint(Kind::Refresh, other_grant, 1, secret.clone()),
        handles.mint(Kind::Refresh, grant, 2, secret.clone()),
        handles.mint(Kind::Refresh, grant, 1, other_secret),
        other_key.mint(Kind::Refresh, grant, 1, secret.clone()),
    ]
    .map(|handle| *handle.digest().as_bytes());
    let of_secret = Digest::of_secret(&secret);
    let all: std::collections::HashSet<_> = digests.iter().chain([of_secret.as_bytes()]).collect();
    assert_eq!(all.len(), digests.len() + 1);
}

#[test]
fn what_two_issuers_mint_alike_differs_by_its_tag_alone() {
    let (handles, grant, secret) = sample();
    let other =
        Handles::new("https://other.example", KeyRing::generate(&SeededRandom::new(7)), Prefixes::default());
    assert_eq!(other.current_key(), handles.current_key());
    let (here, there) =
        (handles.mint(Kind::Code, grant, 0, secret.clone()), other.mint(Kind::Code, grant, 0, secret));
    assert_eq!(here.digest(), there.digest());
    let (here, there) = (handles.write(&here), other.write(&there));
    assert_eq!(here[..76], there[..76]);
    assert_ne!(here[76..], there[76..]);
}

#[test]
fn lg_01_nothing_secret_is_printed() {
    let canary = [0xC5; 32];
    let ring = KeyRing::new(canary).with_previous([0xC6; 32]);
    let handles = handles(ring.clone());
    let secret = Secret32::new(canary);
    let text = mint(&handles, Kind::Code, GrantId::from_bytes([0; 16]), 0, &secret);
    let handle = handles.parse(Kind::Code, &text).unwrap();
    let printed = format!(
        "{ring:?} {ring:#?} {handles:?} {handles:#?} {handle:?} {handle:#?} {secret:?} {:?} {:?} {}",
        handle.digest(),
        handles.parse(Kind::Refresh, &text),
        HandleError::Forged,
    );
    assert!(printed.contains("[redacted]"));
    for spelled in ["197, 197", "c5c5", "C5C5", "c6c6", "198, 198", "xcXF", &text[..12], &text[40..50]] {
        assert!(!printed.contains(spelled), "{spelled}");
    }
}
