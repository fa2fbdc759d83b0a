//! What may happen, and how it is drawn.

use proptest::prelude::*;

use crate::reference::{Ask, Set, Time};

/// One of what there is, counted from the newest.
pub(crate) type Pick = usize;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    Right,
    OtherClient,
    WrongVerifier,
    NoVerifier,
    OtherRedirect,
}

/// What somebody does at the verification page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Yes,
    No,
    WrongCode,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Token {
    Code,
    Access(Pick),
    /// How many generations old.
    Refresh(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Approve { client: usize, subject: usize },
    AnswerAgain(Pick),
    Redeem(Pick, Proof, Ask),
    Refresh { grant: Pick, age: usize, owner: bool, ask: Ask },
    ClientCredentials { client: usize, ask: Ask },
    StartDevice { client: usize },
    Poll { device: Pick, owner: bool, ask: Ask },
    Decide { device: Pick, subject: usize, decision: Decision },
    Revoke { grant: Pick, token: Token, owner: bool },
    Introspect { grant: Pick, token: Token },
    End(Pick),
    EndAll(Set),
    Disable { subject: usize, disabled: bool },
    Forward(Time),
    Back(Time),
    Purge,
    Restart,
    RotateKeys,
    LoseKeys,
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        6 => Just(Ask::All),
        2 => Just(Ask::LessScope),
        2 => Just(Ask::OneResource),
        1 => Just(Ask::TooMuchScope),
        1 => Just(Ask::OtherResource),
    ]
}

fn proof() -> impl Strategy<Value = Proof> {
    prop_oneof![
        8 => Just(Proof::Right),
        1 => Just(Proof::OtherClient),
        1 => Just(Proof::WrongVerifier),
        1 => Just(Proof::NoVerifier),
        1 => Just(Proof::OtherRedirect),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![6 => Just(0), 2 => Just(1), 1 => 2_usize..6]
}

fn age() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(0), 3 => Just(1), 1 => 2_usize..4]
}

fn token() -> impl Strategy<Value = Token> {
    prop_oneof![
        1 => Just(Token::Code),
        3 => pick().prop_map(Token::Access),
        3 => age().prop_map(Token::Refresh),
    ]
}

fn set() -> impl Strategy<Value = Set> {
    prop_oneof![
        (0_usize..4).prop_map(Set::Client),
        (0_usize..2).prop_map(Set::Subject),
        (0_usize..2).prop_map(Set::Session),
    ]
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![6 => Just(Decision::Yes), 1 => Just(Decision::No), 3 => Just(Decision::WrongCode)]
}

fn owner() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.85)
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let forward = prop_oneof![
        6 => 1_i64..11,
        3 => Just(30_i64),
        3 => 58_i64..62,
        2 => 299_i64..302,
        1 => Just(901_i64),
        1 => 3599_i64..3602,
        1 => 7199_i64..7202,
    ];
    let command = prop_oneof![
        8 => (0_usize..2, 0_usize..2).prop_map(|(client, subject)| Command::Approve { client, subject }),
        2 => pick().prop_map(Command::AnswerAgain),
        12 => (pick(), proof(), ask()).prop_map(|(code, proof, ask)| Command::Redeem(code, proof, ask)),
        18 => (pick(), age(), owner(), ask())
            .prop_map(|(grant, age, owner, ask)| Command::Refresh { grant, age, owner, ask }),
        2 => (0_usize..2, ask()).prop_map(|(client, ask)| Command::ClientCredentials { client, ask }),
        4 => (2_usize..4).prop_map(|client| Command::StartDevice { client }),
        10 => (pick(), owner(), ask()).prop_map(|(device, owner, ask)| Command::Poll { device, owner, ask }),
        6 => (pick(), 0_usize..2, decision())
            .prop_map(|(device, subject, decision)| Command::Decide { device, subject, decision }),
        3 => (pick(), token(), owner())
            .prop_map(|(grant, token, owner)| Command::Revoke { grant, token, owner }),
        3 => (pick(), token()).prop_map(|(grant, token)| Command::Introspect { grant, token }),
        1 => pick().prop_map(Command::End),
        2 => set().prop_map(Command::EndAll),
        2 => (0_usize..2, any::<bool>())
            .prop_map(|(subject, disabled)| Command::Disable { subject, disabled }),
        10 => forward.prop_map(Command::Forward),
        2 => (1_i64..20).prop_map(Command::Back),
        3 => Just(Command::Purge),
        2 => Just(Command::Restart),
        1 => Just(Command::RotateKeys),
        1 => Just(Command::LoseKeys),
    ];
    prop::collection::vec(command, 1..100)
}
