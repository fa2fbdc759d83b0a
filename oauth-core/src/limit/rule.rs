//! What is limited, and how much of it there is.

use std::time::Duration;

/// How many attempts: some at once, then one in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many at once, after a long pause. Zero allows none at all.
    pub burst: u32,
    /// How long until one more is there. Zero: there is no limit.
    pub every: Duration,
}

impl Quota {
    /// No limit.
    pub const UNLIMITED: Self = Self { burst: u32::MAX, every: Duration::ZERO };

    /// `burst` at once, and one more each time that `every` has passed.
    pub const fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every }
    }

    /// The same for so many at once.
    pub(super) fn times(self, count: u32) -> Self {
        Self { burst: self.burst.saturating_mul(count), every: self.every / count }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $burst:literal, $millis:literal;)+) => {
        /// What is limited. Each says how many attempts there are by default: at once, then one in so much time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Rule {
            /// All rules.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// The quota unless the host gives another.
            pub const fn default_quota(self) -> Quota {
                match self { $(Self::$name => Quota::new($burst, Duration::from_millis($millis)),)+ }
            }
        }
    };
}

rules! {
    /// Token, revocation and introspection requests that fail with `invalid_client` or `invalid_grant`, by address: 100, then
    /// one a second. Not by client: whoever knows its id could lock it out.
    FailedToken = 100, 1_000;
    /// Wrong passwords by address: 50, then one in 10 s.
    SignInAddress = 50, 10_000;
    /// Wrong passwords by account and address: 10, then one in 30 s.
    SignInAccountAtAddress = 10, 30_000;
    /// Wrong passwords by account, from all addresses together: 50, then one in 30 s. A browser that has been signed in to
    /// the account before is counted by [`Rule::SignInKnownBrowser`] instead, so that its owner is not locked out.
    SignInAccount = 50, 30_000;
    /// Wrong passwords by account and browser, where the browser has been signed in to it before: 10, then one in 30 s.
    SignInKnownBrowser = 10, 30_000;
    /// Device authorization requests by address: 20, then one in 10 s.
    DeviceAddress = 20, 10_000;
    /// Device authorization requests by client, from all addresses together: 600, then ten a second. It bounds what is stored.
    DeviceClient = 600, 100;
    /// Polls of one device before its owner has decided: one, then as often as the device was told. The quota is not used.
    DevicePoll = 1, 5_000;
    /// Wrong user codes by address: 20, then one in 10 s. Those of one signed-in person are counted by
    /// [`Rule::UserCodeSubject`] as well.
    UserCodeAddress = 20, 10_000;
    /// Wrong user codes by who is signed in, counted in the store: 5, then one in 2 minutes.
    UserCodeSubject = 5, 120_000;
    /// Fetches of metadata documents by the address whose authorization or device authorization request needs one: 30, then one
    /// in 10 s.
    DocumentAddress = 30, 10_000;
    /// Fetches of metadata documents for all other requests together, such as those for tokens: 60, then one a second. A client
    /// that somebody has consented to has a stored document to go on with.
    DocumentAnybody = 60, 1_000;
    /// Fetches of metadata documents by the host that they go to, whoever causes them: 60, then one a second.
    DocumentHost = 60, 1_000;
    /// Registrations of clients by address: 20, then one a minute.
    RegistrationAddress = 20, 60_000;
}

/// The quotas of all rules.
#[derive(Clone, Debug)]
pub(crate) struct Quotas([Quota; Rule::ALL.len()]);

impl Quotas {
    pub(crate) fn get(&self, rule: Rule) -> Quota {
        self.0[rule as usize]
    }

    pub(crate) fn set(&mut self, rule: Rule, quota: Quota) {
        self.0[rule as usize] = quota;
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self(Rule::ALL.map(Rule::default_quota))
    }
}
