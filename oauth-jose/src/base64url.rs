//! base64url without padding (RFC 7515 §2): one spelling for the same bytes, everything else is refused.

use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The bytes; `None` for any other character, padding, a length that cannot be, or unused bits that are set.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Decodes into `out`, where it fits.
pub(crate) fn decode_into<'o>(text: &[u8], out: Out<'o, [u8]>) -> Option<&'o [u8]> {
    if text.len() / 4 * 3 + text.len() % 4 * 3 / 4 > out.len() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text, out).ok().map(|decoded| &*decoded)
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends the text of `bytes`.
pub(crate) fn append(text: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

#[cfg(test)]
mod tests {
    use base64_simd::AsOut as _;

    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert_eq!(decode(b"AQ").unwrap(), [1]);
        assert_eq!(decode(b"AQI").unwrap(), [1, 2]);
        assert_eq!(decode(b"-_-_").unwrap(), [0xfb, 0xff, 0xbf]);
        for wrong in ["A", "AR", "AQJ", "AQ==", "A Q", "AQ\n", "+/+/", "AQIDB", "é"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong:?}");
            assert_eq!(decode_into(wrong.as_bytes(), [0; 64].as_mut_slice().as_out()), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for length in 0..40 {
            let text = encode(&vec![7; length]);
            for room in 0..40 {
                let decoded =
                    decode_into(text.as_bytes(), vec![0; room].as_mut_slice().as_out()).map(<[u8]>::len);
                assert_eq!(decoded, (length <= room).then_some(length), "{length} bytes into {room}");
            }
        }
    }
}
