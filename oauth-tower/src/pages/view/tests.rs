//! What holds for every page, asserted over all of them.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{accent::Colour, theme::*, *};

const HOSTILE: [&str; 6] = [
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "' autofocus onfocus='alert(1)",
    "</style></title><svg onload=1>",
    "{{7*7}} {% if true %} ${T(java.lang.Runtime)} #{7*7}",
    "https://evil.example/logo.png\u{202E}\u{200B}",
];

fn theme() -> Theme {
    Theme::new("Acme")
}

/// Every page, with the same text wherever a page takes any.
fn pages(theme: &Theme, text: &str) -> Vec<(&'static str, String)> {
    let hidden = [("ticket", text)];
    let scopes = [
        ScopeView { name: text, description: Some(text), granted: true },
        ScopeView { name: text, description: None, granted: false },
    ];
    vec![
        (
            "sign-in",
            SignInView {
                action: "/oauth/sign-in",
                hidden: &hidden,
                client_name: Some(text),
                username: text,
                error: Some(text),
                notice: Some(text),
            }
            .render(theme),
        ),
        (
            "consent",
            ConsentView {
                action: "/oauth/consent",
                hidden: &hidden,
                client_name: text,
                client_id: text,
                unverified: true,
                redirect_host: text,
                subject: text,
                scopes: &scopes,
                resources: &[text],
                switch_account: Some("/oauth/switch?a=1&b=2"),
            }
            .render(theme),
        ),
        (
            "error",
            ErrorView { title: text, explanation: text, remedy: text, code: text, reference: Some(text) }
                .render(theme),
        ),
        (
            "sign-out",
            SignOutView {
                action: "/oauth/sign-out",
                hidden: &hidden,
                subject: text,
                client_name: Some(text),
            }
            .render(theme),
        ),
        ("signed-in", SignedInView { subject: text, sign_out: Some("/sign-out") }.render(theme)),
        ("signed-out", SignedOutView { sign_in: Some("/sign-in") }.render(theme)),
        ("answered", AlreadyAnsweredView { client_name: Some(text) }.render(theme)),
    ]
}

fn attributes(page: &str, name: &str) -> Vec<String> {
    page.split(&format!(" {name}=\""))
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// The element names in the page, in order: what a browser would build.
fn elements(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split([' ', '>', '\n']).next().unwrap()).collect()
}

#[test]
fn rp_13_hostile_text_changes_nothing_but_text() {
    let benign = pages(&theme(), "x");
    for hostile in HOSTILE {
        for ((name, page), (_, plain)) in pages(&theme(), hostile).into_iter().zip(&benign) {
            assert_eq!(elements(&page), elements(plain), "{name}: {hostile}");
            assert!(
                !page.contains(" onerror=alert(1)>") && !page.contains(" onfocus='"),
                "{name}: {hostile}"
            );
            assert!(!page.contains("49"), "{name}: {hostile}");
        }
    }
}

#[test]
fn rp_13_attributes_keep_their_quotes() {
    for (name, page) in pages(&theme(), "a\"b'c&d") {
        for value in
            attributes(&page, "value").iter().filter(|value| value.starts_with('a') && *value != "approve")
        {
            assert_eq!(value, "a&#34;b&#39;c&#38;d", "{name}");
        }
    }
}

#[test]
fn rp_14_error_page_has_no_link_and_escapes_everything() {
    for hostile in ["<script>alert(1)</script>", "javascript:1", "https://evil.example"] {
        let view = ErrorView {
            title: hostile,
            explanation: hostile,
            remedy: hostile,
            code: hostile,
            reference: None,
        };
        let page = view.render(&theme());
        assert!(!page.contains("<script") && !page.contains("href") && !page.contains("<a"), "{page}");
    }
}

#[test]
fn br_11_pages_load_nothing_and_run_nothing() {
    for (name, page) in pages(&theme(), "Notes") {
        for never in
            ["<script", "http:", "https:", " src=", "url(", "@import", "<link", "<img", " style=", "<iframe"]
        {
            assert!(!page.contains(never), "{name}: {never}");
        }
        let mut tags = page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
        assert!(tags.all(|tag| !tag.contains(" on")), "{name}");
    }
}

#[test]
fn br_11_links_and_actions_stay_on_this_origin() {
    for path in
        ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb"]
    {
        assert_eq!(local_path(path), None, "{path}");
        assert!(!SignedOutView { sign_in: Some(path) }.render(&theme()).contains("href"), "{path}");
    }
    for (name, page) in pages(&theme(), "Notes") {
        for target in attributes(&page, "href").iter().chain(&attributes(&page, "action")) {
            assert!(target.starts_with('/') && !target.starts_with("//"), "{name}: {target}");
        }
    }
}

#[test]
fn br_09_headers_allow_exactly_the_style_of_the_page() {
    for theme in [theme(), theme().accent("#ffd400").unwrap()] {
        let headers = theme.headers();
        let csp = headers["content-security-policy"].to_str().unwrap();
        assert!(csp.contains("frame-ancestors 'none'"));
        assert_eq!(headers["x-frame-options"], "DENY");
        for (name, page) in pages(&theme, "Notes") {
            let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
            let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
            assert!(csp.contains(&format!("style-src 'sha256-{digest}'")), "{name}");
            assert!(!style.contains('$') && !style.contains('<'), "{name}");
        }
    }
}

#[test]
fn dc_15_consent_shows_the_whole_redirect_host_and_unverified() {
    let host = format!("accounts.example.com.{}.evil.example", "a".repeat(60));
    let view = ConsentView {
        action: "/consent",
        hidden: &[],
        client_name: "\u{202E}Goo\u{200B}gle\u{202C}",
        client_id: "client-1",
        unverified: true,
        redirect_host: &host,
        subject: "ada@example.com",
        scopes: &[],
        resources: &[],
        switch_account: None,
    };
    let page = view.render(&theme());
    assert!(page.contains(&host) && page.contains("unverified") && page.contains("client-1"));
    assert!(page.contains("<bdi>Google</bdi>"));
    assert!(!ConsentView { unverified: false, ..view }.render(&theme()).contains("unverified"));
    let local = ConsentView { redirect_host: "127.0.0.1:4000", ..view }.render(&theme());
    assert!(local.contains("an app on this device"));
    let nameless = ConsentView { client_name: "\u{200B}", ..view }.render(&theme());
    assert!(nameless.contains("An app without a name"));
}

#[test]
fn consent_offers_both_answers_and_focuses_neither() {
    let (_, page) = pages(&theme(), "Notes").swap_remove(1);
    assert!(
        page.contains("name=\"decision\" value=\"approve\"")
            && page.contains("name=\"decision\" value=\"deny\"")
    );
    assert!(!page.contains("autofocus"));
    assert!(page.contains("href=\"/oauth/switch?a=1&#38;b=2\""));
}

#[test]
fn sign_in_keeps_the_username_and_says_what_went_wrong() {
    let view = SignInView {
        action: "/sign-in",
        username: "ada",
        error: Some("That did not match."),
        ..SignInView::default()
    };
    let page = view.render(&theme());
    assert!(page.contains("role=\"alert\">That did not match.<") && page.contains("value=\"ada\""));
    assert_eq!(page.matches("aria-describedby=\"error\"").count(), 2);
    assert_eq!(page.matches("autofocus").count(), 1);
    assert!(page.contains("<title>Error: Sign in · Acme</title>"));
    let fresh =
        SignInView { action: "/sign-in", ..SignInView::default() }.render(&theme().username_label("Email"));
    assert!(
        fresh.contains("autocomplete=\"username\"") && fresh.contains("autocomplete=\"current-password\"")
    );
    assert!(fresh.contains(">Email</label>") && !fresh.contains("aria-invalid=\""));
    assert_eq!(attributes(&fresh, "value"), [""]);
}

#[test]
fn every_page_has_landmarks_a_language_and_one_heading() {
    for (name, page) in pages(&theme(), "Notes") {
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        for once in ["<main>", "<h1", "<header", "<title>", "name=\"viewport\""] {
            assert_eq!(page.matches(once).count(), 1, "{name}: {once}");
        }
    }
}

#[test]
fn the_palette_meets_aa_in_light_and_dark() {
    let theme = theme().accent("#ffd400").unwrap();
    let (light, dark) = theme.style().split_once("prefers-color-scheme:dark").unwrap();
    for (palette, card) in [(light, LIGHT_CARD), (dark, DARK_CARD)] {
        let colour = |name: &str| {
            let value = palette.split(&format!("--{name}:")).nth(1).unwrap();
            Colour::parse(&value[..7]).unwrap()
        };
        assert_eq!(colour("card"), card);
        for (text, surface) in [
            ("ink", "card"),
            ("ink", "page"),
            ("soft", "card"),
            ("ink", "note"),
            ("soft", "note"),
            ("ink", "hover"),
            ("alert-ink", "alert"),
            ("warn-ink", "warn"),
            ("accent-text", "accent"),
            ("accent-text", "accent-hover"),
        ] {
            assert!(colour(text).contrast(colour(surface)) >= 4.5, "{text} on {surface}");
        }
        assert!(colour("edge").contrast(card) >= 3.0);
        assert!(colour("accent-edge").contrast(card) >= 3.0);
    }
}
