//! The envelope of PEM (RFC 7468).

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use crate::KeyError;

/// The format of a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Pkcs8,
    Sec1,
    Pkcs1,
}

/// The first private key of a text.
pub(crate) fn private_key(pem: &str) -> Result<(Form, Zeroizing<Vec<u8>>), KeyError> {
    let mut rest = pem;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, block) = begun.split_once("-----").ok_or(KeyError::Pem)?;
        let end = format!("-----END {label}-----");
        let (body, after) = block.split_once(&end).ok_or(KeyError::Pem)?;
        let form = match label {
            "PRIVATE KEY" => Form::Pkcs8,
            "EC PRIVATE KEY" => Form::Sec1,
            "RSA PRIVATE KEY" => Form::Pkcs1,
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            _ => {
                rest = after;
                continue;
            }
        };
        if body.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
        text.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        return Ok((form, Zeroizing::new(STANDARD.decode_to_vec(&*text).map_err(|_| KeyError::Pem)?)));
    }
    Err(KeyError::Pem)
}
