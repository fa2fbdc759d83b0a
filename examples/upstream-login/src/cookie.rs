//! Cookies that no other origin can set or read.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use oauth_core::issuer::Issuer;

/// The name with its prefix; without TLS, in development, a browser does not take it.
fn full_name(issuer: &Issuer, name: &str) -> String {
    format!("{}{name}", if issuer.is_https() { "__Host-" } else { "" })
}

/// A `Set-Cookie` value. `SameSite=Lax`: the provider's answer is a navigation from another site, and has to carry it.
pub(crate) fn set(issuer: &Issuer, name: &str, value: &str, max_age: u32) -> String {
    let (name, secure) = (full_name(issuer, name), if issuer.is_https() { "; Secure" } else { "" });
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}")
}

/// The value of a cookie; `None` where there are two of the name, one of which may have been planted.
pub(crate) fn get<'a>(headers: &'a HeaderMap, issuer: &Issuer, name: &str) -> Option<&'a str> {
    let name = full_name(issuer, name);
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut own = all
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('=').filter(|(own, _)| *own == name));
    own.next().map(|(_, value)| value).filter(|_| own.next().is_none())
}
