//! The schemes of redirect URIs.

/// Schemes that run, read or open something other than the client, or that are not a redirection at all (`urn` for
/// the out-of-band flow). `http` and `https` stand for their spellings other than `http://` and `https://`.
const DENIED_SCHEMES: &[&str] = &[
    "about",
    "android-app",
    "blob",
    "brave",
    "cap",
    "chrome",
    "chrome-extension",
    "cid",
    "content",
    "data",
    "dav",
    "dict",
    "edge",
    "facetime",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "git",
    "googlechrome",
    "gopher",
    "hcp",
    "help",
    "http",
    "https",
    "imap",
    "intent",
    "ipp",
    "itms-apps",
    "itms-services",
    "jar",
    "javascript",
    "ldap",
    "ldaps",
    "livescript",
    "mailto",
    "market",
    "mhtml",
    "microsoft-edge",
    "mid",
    "mk",
    "mocha",
    "moz-extension",
    "ms-appinstaller",
    "ms-excel",
    "ms-its",
    "ms-msdt",
    "ms-officecmd",
    "ms-powerpoint",
    "ms-settings",
    "ms-word",
    "news",
    "nfs",
    "nntp",
    "opera",
    "pop",
    "res",
    "resource",
    "rtsp",
    "search",
    "search-ms",
    "sftp",
    "shell",
    "sip",
    "sips",
    "smb",
    "sms",
    "ssh",
    "svn",
    "tel",
    "telnet",
    "tftp",
    "urn",
    "vbscript",
    "view-source",
    "vnc",
    "webcal",
    "ws",
    "wss",
    "wyciwyg",
    "x-apple-helpbasic",
];

/// Whether the scheme, in whatever case, is one that never leads to a client.
pub(super) fn is_denied(uri: &str) -> bool {
    if uri.starts_with("https://") || uri.starts_with("http://") {
        return false;
    }
    let scheme = uri.split(':').next().unwrap_or(uri).trim_ascii();
    DENIED_SCHEMES.iter().any(|denied| scheme.eq_ignore_ascii_case(denied))
}

/// Splits at the scheme's colon, where the scheme is one (RFC 3986 §3.1).
pub(super) fn split_scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then_some((scheme, rest))
}
