//! Looking through text, a block of bytes at a time.

/// What the bytes of a text are, each by its class, all taken together by `|`.
///
/// Without an early exit and in whole blocks, which compiles to vector code; the last block overlaps, so that no bytes are left
/// over.
pub(crate) fn classes(text: &[u8], class: impl Fn(u8) -> u8) -> u8 {
    let all = |bytes: &[u8]| bytes.iter().fold(0, |found, &byte| found | class(byte));
    if let Some(last) = text.last_chunk::<32>() {
        return all(text.as_chunks::<32>().0.as_flattened()) | all(last);
    }
    match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        (Some(first), Some(last)) => all(first) | all(last),
        _ => all(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_counts_wherever_it_is() {
        let class = |byte: u8| u8::from(byte == b'%') | u8::from(byte == b'+') << 1;
        for length in 0..50 {
            let mut text = vec![b'a'; length];
            assert_eq!(classes(&text, class), 0);
            for at in 0..length {
                text[at] = b'+';
                assert_eq!(classes(&text, class), 2, "{at} of {length}");
                text[length - 1 - at] = b'%';
                assert_eq!(classes(&text, class), if 2 * at + 1 == length { 1 } else { 3 });
                text.fill(b'a');
            }
        }
    }
}
