//! One `application/x-www-form-urlencoded` request, decoded once (RFC 6749 Appendix B, OAuth 2.1 §3.1, §3.2).
//!
//! 1. Names and values are decoded exactly once; a malformed escape is an error, never passed through.
//! 2. Names are case-sensitive; unknown ones are kept and do no harm, repeated or not.
//! 3. A parameter that may occur once and occurs twice is an error for whoever asks for it.
//! 4. An empty value counts as omitted.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str;

use memchr::{memchr, memchr2};

use crate::any_byte::any_byte;

/// The most parameters in one request.
pub const MAX_PARAMS: usize = 100;

/// Longer input does not fit into a [`Span`].
const MAX_BYTES: usize = i32::MAX as usize;

/// As many parameters as requests usually have; they are kept without an allocation.
const INLINE: usize = 8;

/// The parameters of one query or body.
///
/// Text that needs no decoding is borrowed; all other text shares one buffer.
pub struct Params<'a> {
    input: &'a str,
    decoded: String,
    len: usize,
    inline: [Entry; INLINE],
    more: Vec<Entry>,
    /// A bit for each length that a name has: most of the names that are asked for are absent, and told by that.
    lengths: u32,
}

/// Why a request's parameters cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParamsError {
    /// A `%` that two hexadecimal digits do not follow.
    #[error("malformed percent-encoding")]
    MalformedEncoding,
    /// Bytes that are not UTF-8, raw or decoded.
    #[error("not UTF-8")]
    NotUtf8,
    /// More than [`MAX_PARAMS`] parameters.
    #[error("too many parameters")]
    TooMany,
    /// The named parameter occurs more than once.
    #[error("parameter {0} occurs more than once")]
    Duplicate(&'static str),
    /// A NUL, another C0 control or DEL, in a name or a value.
    #[error("control character")]
    ControlCharacter,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    name: Span,
    value: Span,
}

/// A range of the input, or of the decoded text.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    /// The length, and in the lowest bit whether it is of the decoded text.
    len: u32,
}

impl Span {
    fn new(range: Range<usize>, decoded: bool) -> Self {
        Self { start: range.start as u32, len: (range.len() as u32) << 1 | u32::from(decoded) }
    }

    fn len(self) -> usize {
        (self.len >> 1) as usize
    }

    fn is_decoded(self) -> bool {
        self.len & 1 == 1
    }
}

impl<'a> Params<'a> {
    /// Decodes a query or a body. A `+` is a space; empty pairs (`&&`) are skipped.
    ///
    /// # Errors
    ///
    /// [`ParamsError`] where any name or value is malformed, or there are too many. Never
    /// [`Duplicate`](ParamsError::Duplicate), which [`one`](Self::one) decides by name.
    pub fn parse(input: &'a [u8]) -> Result<Self, ParamsError> {
        if input.len() > MAX_BYTES {
            return Err(ParamsError::TooMany);
        }
        if any_byte(input, is_control) {
            return Err(ParamsError::ControlCharacter);
        }
        let input = str::from_utf8(input).map_err(|_| ParamsError::NotUtf8)?;
        let mut params = Params {
            input,
            decoded: String::new(),
            len: 0,
            inline: [Entry::default(); INLINE],
            more: Vec::new(),
            lengths: 0,
        };
        let bytes = input.as_bytes();
        let mut text = Text { bytes, encoded: 0, decoded: Vec::new() };
        text.seek(0);
        let mut start = 0;
        while start < bytes.len() {
            let end = memchr(b'&', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            if end > start {
                let pair = &bytes[start..end];
                let name_len = memchr(b'=', pair).unwrap_or(pair.len());
                let value_start = (start + name_len + 1).min(end);
                let name = text.span(start..start + name_len)?;
                let value = text.span(value_start..end)?;
                params.push(Entry { name, value })?;
            }
            start = end + 1;
        }
        params.decoded = String::from_utf8(text.decoded).map_err(|_| ParamsError::NotUtf8)?;
        Ok(params)
    }

    /// The one value of a parameter, or `None` where it is absent or empty.
    ///
    /// # Errors
    ///
    /// [`ParamsError::Duplicate`] where the name occurs twice or more, even with equal or empty values.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, ParamsError> {
        if self.lengths & length_bit(name.len()) == 0 {
            return Ok(None);
        }
        let mut found = None;
        let mut look = |entries: &[Entry]| {
            for entry in entries {
                if self.is_named(entry, name) && found.replace(entry.value).is_some() {
                    return Err(ParamsError::Duplicate(name));
                }
            }
            Ok(())
        };
        look(self.inline())?;
        if !self.more.is_empty() {
            look(&self.more)?;
        }
        Ok(found.map(|value| self.text(value)).filter(|value| !value.is_empty()))
    }

    /// Every non-empty value of a parameter that may be repeated, such as `resource` (RFC 8707 §2).
    pub fn all<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        self.named(name).filter(|value| !value.is_empty())
    }

    /// All names and values in order, empty values included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries().map(|entry| (self.text(entry.name), self.text(entry.value)))
    }

    /// Whether the name occurs, with whatever value.
    pub fn contains(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Whether there is no parameter at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, entry: Entry) -> Result<(), ParamsError> {
        if self.len == MAX_PARAMS {
            return Err(ParamsError::TooMany);
        }
        self.lengths |= length_bit(entry.name.len());
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = entry,
            None => self.more.push(entry),
        }
        self.len += 1;
        Ok(())
    }

    fn inline(&self) -> &[Entry] {
        &self.inline[..self.len.min(INLINE)]
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.inline().iter().chain(&self.more)
    }

    /// The values of a name, empty ones included.
    fn named<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        self.entries().filter(|entry| self.is_named(entry, name)).map(|entry| self.text(entry.value))
    }

    /// Nearly all other names are told by their length.
    fn is_named(&self, entry: &Entry, name: &str) -> bool {
        entry.name.len() == name.len() && self.text(entry.name) == name
    }

    fn text(&self, span: Span) -> &str {
        let source = if span.is_decoded() { self.decoded.as_str() } else { self.input };
        &source[span.start as usize..span.start as usize + span.len()]
    }
}

/// Shows the number of parameters only: values may be secrets.
impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Params").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Whether every character is a `VSCHAR`, `%x20-7E` (RFC 6749 Appendix A).
pub fn is_vschar(s: &str) -> bool {
    s.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
}

/// Decodes one form-encoded value, such as a user name or password of HTTP Basic (RFC 6749 §2.3.1).
///
/// # Errors
///
/// [`ParamsError`] for a malformed escape, text that is not UTF-8, or a control character.
pub fn percent_decode_form(s: &str) -> Result<Cow<'_, str>, ParamsError> {
    if any_byte(s.as_bytes(), is_control) {
        return Err(ParamsError::ControlCharacter);
    }
    if memchr2(b'+', b'%', s.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(s));
    }
    let mut decoded = Vec::with_capacity(s.len());
    decode(s.as_bytes(), &mut decoded)?;
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| ParamsError::NotUtf8)
}

/// What is read, from its beginning to its end.
struct Text<'a> {
    bytes: &'a [u8],
    /// Up to here nothing needs decoding.
    encoded: usize,
    decoded: Vec<u8>,
}

impl Text<'_> {
    fn seek(&mut self, from: usize) {
        let next = memchr2(b'+', b'%', &self.bytes[from..]);
        self.encoded = next.map_or(self.bytes.len(), |at| from + at);
    }

    #[inline(always)]
    fn span(&mut self, range: Range<usize>) -> Result<Span, ParamsError> {
        if range.end <= self.encoded { Ok(Span::new(range, false)) } else { self.decode(range) }
    }

    #[inline(never)]
    fn decode(&mut self, range: Range<usize>) -> Result<Span, ParamsError> {
        if self.encoded < range.start {
            self.seek(range.start);
            if range.end <= self.encoded {
                return Ok(Span::new(range, false));
            }
        }
        if self.decoded.capacity() == 0 {
            // Decoding never lengthens, so this is the only allocation of the buffer.
            self.decoded.reserve_exact(self.bytes.len() - range.start);
        }
        let from = self.decoded.len();
        decode(&self.bytes[range], &mut self.decoded)?;
        // Each piece by itself: two halves of a character in neighbouring pieces are not a character.
        str::from_utf8(&self.decoded[from..]).map_err(|_| ParamsError::NotUtf8)?;
        Ok(Span::new(from..self.decoded.len(), true))
    }
}

/// All lengths that no name of ours has share a bit.
fn length_bit(length: usize) -> u32 {
    1 << length.min(31)
}

fn decode(encoded: &[u8], out: &mut Vec<u8>) -> Result<(), ParamsError> {
    let mut end = out.len();
    // Room for all of it at once, instead of a look at the room for each character.
    out.resize(end + encoded.len(), 0);
    let mut rest = encoded;
    while let [byte, after @ ..] = rest {
        rest = after;
        out[end] = match byte {
            b'+' => b' ',
            b'%' => {
                let [high, low, after @ ..] = rest else { return Err(ParamsError::MalformedEncoding) };
                rest = after;
                let (Some(high), Some(low)) = (hex(high), hex(low)) else {
                    return Err(ParamsError::MalformedEncoding);
                };
                control_free(high << 4 | low)?
            }
            _ => *byte,
        };
        end += 1;
    }
    out.truncate(end);
    Ok(())
}

fn hex(digit: &u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn control_free(byte: u8) -> Result<u8, ParamsError> {
    if is_control(byte) { Err(ParamsError::ControlCharacter) } else { Ok(byte) }
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7F
}
