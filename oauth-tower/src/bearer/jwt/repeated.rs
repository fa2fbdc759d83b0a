//! What the tokens of one issuer repeat, kept once: there are few clients and few scopes, and many tokens of each.

use std::sync::{Mutex, PoisonError};

/// How many texts are remembered. Two of them may want the same place, and then take turns.
const PLACES: usize = 64;
/// The longest text that is remembered, in bytes.
const MAX_TEXT: usize = 256;

/// Values that were made of texts, found again by the text.
pub(super) struct Repeated<T> {
    places: Mutex<[Option<T>; PLACES]>,
    text: fn(&T) -> &str,
}

impl<T: Clone> Repeated<T> {
    /// Nothing yet. `text` gives what a value was made of.
    pub(super) fn new(text: fn(&T) -> &str) -> Self {
        Self { places: Mutex::new([const { None }; PLACES]), text }
    }

    /// The value whose text this is, or else a new one.
    pub(super) fn get_or<E>(&self, text: &str, make: impl FnOnce(&str) -> Result<T, E>) -> Result<T, E> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = places.get_mut(place(text)) else { return make(text) };
        if let Some(known) = place.as_ref().filter(|known| (self.text)(known) == text) {
            return Ok(known.clone());
        }
        let made = make(text)?;
        if text.len() <= MAX_TEXT {
            *place = Some(made.clone());
        }
        Ok(made)
    }
}

/// By the length and the last bytes, where names that are numbered differ.
fn place(text: &str) -> usize {
    let last = text.bytes().rev().take(4).fold(0, |sum, byte| sum * 31 + usize::from(byte));
    (text.len() + last) % PLACES
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_text_is_found_again_and_never_another() {
        let repeated = Repeated::<Arc<str>>::new(|text| text);
        let get = |text: &str| repeated.get_or(text, |text| Ok::<_, Infallible>(Arc::from(text))).unwrap();
        for round in 0..1_000 {
            let text = format!("client {round}");
            let first = get(&text);
            assert_eq!(*first, *text);
            assert!(Arc::ptr_eq(&first, &get(&text)));
        }
        assert_eq!(&*get(""), "");
        let long = "x".repeat(MAX_TEXT + 1);
        assert!(!Arc::ptr_eq(&get(&long), &get(&long)));
    }

    #[test]
    fn what_cannot_be_made_is_not_kept() {
        let repeated = Repeated::<Arc<str>>::new(|text| text);
        assert_eq!(repeated.get_or("a", |_| Err("no")), Err("no"));
        assert_eq!(repeated.get_or("a", |text| Ok::<_, &str>(Arc::from(text))), Ok(Arc::from("a")));
    }
}
