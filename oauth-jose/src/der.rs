//! As much of DER as an RSA private key needs (RFC 5208 §5, RFC 8017 §A.1.2): it comes from the cryptography library.

/// Reads tags and lengths.
pub(crate) struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    pub(crate) fn new(der: &'d [u8]) -> Self {
        Self(der)
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn element(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (&[found, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 | 0x82 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }

    /// The next element, a sequence.
    pub(crate) fn sequence(&mut self) -> Option<Self> {
        self.element(0x30).map(Self)
    }

    /// The next element, a positive integer, without leading zeros.
    pub(crate) fn integer(&mut self) -> Option<&'d [u8]> {
        let digits = self.element(0x02)?;
        Some(digits.strip_prefix(&[0]).unwrap_or(digits))
    }
}

/// The eight numbers of an RSA key in PKCS#8: n, e, d, p, q, dP, dQ, qInv.
pub(crate) fn rsa_numbers(pkcs8: &[u8]) -> Option<[&[u8]; 8]> {
    let mut outer = Reader::new(pkcs8).sequence()?;
    outer.integer()?;
    outer.sequence()?;
    let mut key = Reader::new(outer.element(0x04)?).sequence()?;
    key.integer()?;
    let mut numbers = [&[][..]; 8];
    for number in &mut numbers {
        *number = key.integer()?;
    }
    Some(numbers)
}
