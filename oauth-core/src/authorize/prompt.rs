//! `prompt` (OpenID Connect Core §3.1.2.1).

/// What the client asks the server to show, whatever is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
    select_account: bool,
}

impl Prompt {
    /// Reads the parameter: a set of names, separated by single spaces; `None` where a name is not known, or where `none`
    /// is not alone.
    pub fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        for name in text.split(' ') {
            match name {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => return None,
            }
        }
        let alone = prompt == Self { none: true, ..Self::default() };
        (!prompt.none || alone).then_some(prompt)
    }

    /// `none`: show nothing, answer with an error instead.
    pub fn none(self) -> bool {
        self.none
    }

    /// `login`: authenticate again.
    pub fn login(self) -> bool {
        self.login
    }

    /// `consent`: ask for consent even if it is remembered.
    pub fn consent(self) -> bool {
        self.consent
    }

    /// `select_account`: let the person choose who they want to be.
    pub fn select_account(self) -> bool {
        self.select_account
    }
}
