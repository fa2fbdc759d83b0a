//! The look that all pages share: the app's name, its accent, the style and the headers that allow it.

use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::accent::{Colour, InvalidAccent, WHITE};
use crate::endpoint::{
    display_name::display_name,
    page_headers::{content_security_policy, page_headers},
};

const STYLE: &str = include_str!("style.css");
const DEFAULT_ACCENT: Colour = Colour([0x17, 0x59, 0x4a]);
/// The cards of `style.css`, which the accent must stand out from.
pub(super) const LIGHT_CARD: Colour = WHITE;
pub(super) const DARK_CARD: Colour = Colour([0x1b, 0x1f, 0x1d]);

/// The app's name and colour on the built-in pages.
///
/// Make one per server and keep it: the style and its digest are computed here, not per request.
#[derive(Clone, Debug)]
pub struct Theme {
    app_name: String,
    username_label: String,
    style: String,
    content_security_policy: HeaderValue,
}

impl Theme {
    /// A theme with the default accent. The name is what visitors know the app by, such as "Acme".
    #[must_use]
    pub fn new(app_name: &str) -> Self {
        let (style, content_security_policy) = style(DEFAULT_ACCENT);
        Self {
            app_name: display_name(app_name),
            username_label: "Username".to_owned(),
            style,
            content_security_policy,
        }
    }

    /// The colour of the main button and of the monogram. Its shade, its text and its edge are adjusted to
    /// stay readable.
    ///
    /// # Errors
    ///
    /// [`InvalidAccent`] unless the colour is `#rgb` or `#rrggbb`.
    pub fn accent(mut self, colour: &str) -> Result<Self, InvalidAccent> {
        (self.style, self.content_security_policy) = style(Colour::parse(colour)?);
        Ok(self)
    }

    /// What the first field of the sign-in page is called: "Username" unless the app says "Email" or the like.
    #[must_use]
    pub fn username_label(mut self, label: &str) -> Self {
        self.username_label = display_name(label);
        self
    }

    /// The headers of every page with this theme, error pages included.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        page_headers(self.content_security_policy.clone())
    }

    pub(super) fn name(&self) -> &str {
        &self.app_name
    }

    pub(super) fn username(&self) -> &str {
        &self.username_label
    }

    /// Fixed text and checked colours only: the one value that the templates do not escape.
    pub(super) fn style(&self) -> &str {
        &self.style
    }

    /// The first letter or digit of the name, as a capital.
    pub(super) fn monogram(&self) -> String {
        let first = self.app_name.chars().find(|c| c.is_alphanumeric());
        first.map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
    }
}

fn style(accent: Colour) -> (String, HeaderValue) {
    // A pale accent on a light card keeps its colour, since darkening turns yellow to mud, and stands out by its edge.
    let [light, dark] = [LIGHT_CARD, DARK_CARD].map(|card| accent.standing_out_from(card));
    let mut style = STYLE.to_owned();
    for (name, fill, edge) in [("LIGHT", accent, light), ("DARK", dark, dark)] {
        for (part, colour) in
            [("ACCENT", fill), ("TEXT", fill.text()), ("HOVER", fill.hover()), ("EDGE", edge)]
        {
            style = style.replace(&format!("${name}_{part}"), &colour.hex());
        }
    }
    let digest: [u8; 32] = Sha256::digest(style.as_bytes()).into();
    (style, content_security_policy(Some(&digest)))
}
