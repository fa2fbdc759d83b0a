//! The consent page: who asks, for what, and where the answer goes.

use askama::Template;

use super::{HiddenField, Theme, display_name, html, local_path, visible};

/// A scope on the consent page.
#[derive(Clone, Copy, Debug)]
pub struct ScopeView<'a> {
    /// The scope's name on the wire.
    pub name: &'a str,
    /// What it allows, in plain words, as the app describes it.
    pub description: Option<&'a str>,
    /// Whether the owner granted it to this client before.
    pub granted: bool,
}

/// What the consent page shows. It sends `decision=approve` or `decision=deny` with the hidden fields.
///
/// # Security
///
/// The client's name is its own word. The redirect host is not: it is where the answer goes, so it is always shown, whole.
#[derive(Clone, Copy, Debug)]
pub struct ConsentView<'a> {
    /// Where the form posts to: a path on this origin. Anything else posts back to the page's own address.
    pub action: &'a str,
    /// Fields that come back with the form, such as the ticket.
    pub hidden: &'a [HiddenField<'a>],
    /// The client, by its own word.
    pub client_name: &'a str,
    /// The client's identifier, or its host where the identifier is a URL.
    pub client_id: &'a str,
    /// Whether nobody vouched for the client: it registered itself.
    pub unverified: bool,
    /// The host (or the scheme, for a native app) of the redirect URI.
    pub redirect_host: &'a str,
    /// Who is signed in, as they would say it: a name or an address.
    pub subject: &'a str,
    /// What the client asks for.
    pub scopes: &'a [ScopeView<'a>],
    /// The resources that the tokens are for (RFC 8707).
    pub resources: &'a [&'a str],
    /// A path on this origin that signs in somebody else.
    pub switch_account: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct Page<'a> {
    theme: &'a Theme,
    view: &'a ConsentView<'a>,
    action: &'a str,
    hidden: &'a [HiddenField<'a>],
    client: String,
    client_id: String,
    redirect_host: String,
    on_this_device: bool,
    subject: String,
    scopes: Vec<ScopeLine>,
    resources: Vec<String>,
    switch_account: Option<&'a str>,
}

pub(super) struct ScopeLine {
    pub(super) text: String,
    pub(super) name: Option<String>,
    granted: bool,
}

impl ScopeLine {
    pub(super) fn new(scope: &ScopeView<'_>) -> Self {
        let name = visible(scope.name);
        match scope.description.map(visible).filter(|text| !text.is_empty()) {
            Some(text) => Self { text, name: Some(name), granted: scope.granted },
            None => Self { text: name, name: None, granted: scope.granted },
        }
    }
}

impl ConsentView<'_> {
    /// The page as HTML. Nothing has the focus at the start, so that a stray Enter answers nothing.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        let client = Some(display_name(self.client_name)).filter(|name| !name.is_empty());
        let client = client.unwrap_or_else(|| "An app without a name".to_owned());
        html(&Page {
            theme,
            view: self,
            action: local_path(self.action).unwrap_or_default(),
            hidden: self.hidden,
            client,
            client_id: visible(self.client_id),
            redirect_host: visible(self.redirect_host),
            on_this_device: is_loopback(self.redirect_host),
            subject: display_name(self.subject),
            scopes: self.scopes.iter().map(ScopeLine::new).collect(),
            resources: self.resources.iter().map(|resource| visible(resource)).collect(),
            switch_account: self.switch_account.and_then(local_path),
        })
    }
}

/// Whether the host, with or without a port, is this very device.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_hosts_are_told_from_names_that_look_like_them() {
        for host in ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:33418", "[::1]", "[::1]:9000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["localhost.evil.example", "127.0.0.1.evil.example", "example.com:80", "[2001:db8::1]", "", "[:"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
