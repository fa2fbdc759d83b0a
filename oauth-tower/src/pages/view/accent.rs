//! The accent colour, kept readable on light and on dark pages whatever the host picks.

/// The accent is not `#rgb` or `#rrggbb`.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the accent colour must be #rgb or #rrggbb")]
pub struct InvalidAccent;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub(super) [u8; 3]);

pub(super) const WHITE: Colour = Colour([255; 3]);
pub(super) const BLACK: Colour = Colour([0; 3]);

impl Colour {
    /// # Errors
    ///
    /// [`InvalidAccent`] unless the text is `#rgb` or `#rrggbb`.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidAccent> {
        let digits: Vec<u8> = text
            .strip_prefix('#')
            .filter(|hex| hex.len() == 3 || hex.len() == 6)
            .and_then(|hex| hex.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect())
            .ok_or(InvalidAccent)?;
        Ok(Self(match digits[..] {
            [r, g, b] => [r * 17, g * 17, b * 17],
            [r1, r0, g1, g0, b1, b0] => [r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0],
            _ => return Err(InvalidAccent),
        }))
    }

    pub(super) fn hex(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// The WCAG 2 contrast ratio, 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|channel| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn mix(self, other: Self, percent: u16) -> Self {
        let mut mixed = self.0;
        for (channel, towards) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*channel) * (100 - percent) + u16::from(towards) * percent;
            *channel = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The nearest shade that stands out from `surface` with at least 3:1 (WCAG 2 criterion 1.4.11).
    pub(super) fn standing_out_from(self, surface: Self) -> Self {
        let away = if surface.contrast(BLACK) > surface.contrast(WHITE) { BLACK } else { WHITE };
        (0..=100)
            .step_by(4)
            .map(|percent| self.mix(away, percent))
            .find(|shade| shade.contrast(surface) >= 3.0)
            .unwrap_or(away)
    }

    /// White or black, whichever is readable on this colour with 4.5:1 (criterion 1.4.3); one of them always is.
    pub(super) fn text(self) -> Self {
        if self.contrast(WHITE) >= 4.5 { WHITE } else { BLACK }
    }

    /// A shade for hover that is further from the text on it, never nearer.
    pub(super) fn hover(self) -> Self {
        let away = if self.text() == WHITE { BLACK } else { WHITE };
        self.mix(away, 14)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hex_colours_are_accepted() {
        assert_eq!(Colour::parse("#17594A").unwrap().hex(), "#17594a");
        assert_eq!(Colour::parse("#fa0").unwrap().hex(), "#ffaa00");
        for bad in
            ["", "#", "17594a", "#17594", "#ggg", "#12345é", "red", "#000;}</style><script>", "#+12", "#é1"]
        {
            assert_eq!(Colour::parse(bad), Err(InvalidAccent), "{bad}");
        }
    }

    #[test]
    fn every_accent_is_readable_on_light_and_dark() {
        for rgb in (0..=255_u8).step_by(15).flat_map(|r| (0..=255_u8).step_by(15).map(move |g| [r, g, r ^ g]))
        {
            for surface in [WHITE, BLACK, Colour([0x1b, 0x1f, 0x1d])] {
                let shade = Colour(rgb).standing_out_from(surface);
                assert!(shade.contrast(surface) >= 3.0, "{rgb:?}");
                for fill in [shade, Colour(rgb)] {
                    assert!(fill.contrast(fill.text()) >= 4.5, "{rgb:?}");
                    assert!(fill.hover().contrast(fill.text()) >= 4.5, "{rgb:?}");
                }
            }
        }
    }
}
