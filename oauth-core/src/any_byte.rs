//! Looking through text, a block of bytes at a time.

/// Whether any byte of a text is such a one.
///
/// Without an early exit and in whole blocks, which compiles to vector code; the last block overlaps, so that no bytes are left
/// over.
pub(crate) fn any_byte(text: &[u8], is_such: impl Fn(u8) -> bool) -> bool {
    let any = |bytes: &[u8]| bytes.iter().fold(0, |found, &byte| found | u8::from(is_such(byte))) != 0;
    if let Some(last) = text.last_chunk::<32>() {
        return any(text.as_chunks::<32>().0.as_flattened()) | any(last);
    }
    match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        (Some(first), Some(last)) => any(first) | any(last),
        _ => any(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_counts_wherever_it_is() {
        let found = |text: &[u8]| [b'%', b'+'].map(|wanted| any_byte(text, |byte| byte == wanted));
        for length in 0..50 {
            let mut text = vec![b'a'; length];
            assert_eq!(found(&text), [false, false]);
            for at in 0..length {
                text[at] = b'+';
                assert_eq!(found(&text), [false, true], "{at} of {length}");
                text[length - 1 - at] = b'%';
                assert_eq!(found(&text), [true, 2 * at + 1 != length], "{at} of {length}");
                text.fill(b'a');
            }
        }
    }
}
