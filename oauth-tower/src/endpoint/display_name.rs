//! Text that a stranger chose, made fit to stand on a page.
//!
//! A client picks its own name (RFC 7591 section 5). Whoever reads it must see what is there: no text that runs backwards,
//! no invisible characters that tell two equal-looking names apart, no name that pushes the buttons off the screen.
//! Escaping for HTML is apart from this, and done by the templates.

/// The longest name that a page shows, in characters.
pub const MAX_NAME_CHARS: usize = 60;

/// Accents that may be stacked on one letter. Vietnamese needs two; more is a way to scribble over other lines.
const MAX_STACKED_MARKS: usize = 2;

/// A client's or a person's name for display: [`visible`], then cut to [`MAX_NAME_CHARS`] with an ellipsis.
/// May be empty.
#[must_use]
pub fn display_name(raw: &str) -> String {
    // Bounds the work as well: a name of many megabytes is not walked to its end.
    let mut name: String = visible_chars(raw).take(MAX_NAME_CHARS + 1).collect();
    if let Some((cut, _)) = name.char_indices().nth(MAX_NAME_CHARS) {
        let last = name[..cut].char_indices().next_back().map_or(0, |(at, _)| at);
        name.truncate(last);
        name.truncate(name.trim_end().len());
        name.push('…');
    }
    name.truncate(name.trim_end().len());
    name
}

/// The text without control characters, direction overrides, zero-width and other invisible characters; runs of
/// white space become one space. Nothing is cut: for hosts and identifiers, where the end matters as much as the start.
#[must_use]
pub fn visible(raw: &str) -> String {
    let mut text: String = visible_chars(raw).collect();
    text.truncate(text.trim_end().len());
    text
}

fn visible_chars(raw: &str) -> impl Iterator<Item = char> + '_ {
    let (mut space, mut marks) = (true, 0);
    raw.chars().filter_map(move |c| {
        if c.is_whitespace() {
            marks = 0;
            return (!std::mem::replace(&mut space, true)).then_some(' ');
        }
        if is_invisible(c) {
            return None;
        }
        marks = if is_stacking_mark(c) { marks + 1 } else { 0 };
        if marks > MAX_STACKED_MARKS {
            return None;
        }
        space = false;
        Some(c)
    })
}

/// Unicode's control, format, private-use and default-ignorable characters, and letters that are drawn as nothing.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x061C | 0x0600..=0x0605 | 0x06DD | 0x070F | 0x0890..=0x0891 | 0x08E2
            | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xE000..=0xF8FF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
            | 0xFFF0..=0xFFFD | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A | 0xE0000..=0x10FFFF)
}

fn is_stacking_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dc_15_direction_overrides_and_invisible_characters_are_removed() {
        assert_eq!(display_name("Goo\u{200B}gle"), "Google");
        assert_eq!(display_name("\u{202E}elgooG\u{202C}"), "elgooG");
        assert_eq!(display_name("\u{2066}A\u{2069}\u{200F}\u{061C}b\u{FEFF}\u{00AD}\u{3164}"), "Ab");
        assert_eq!(display_name("tag\u{E0041}\u{E007F}ged"), "tagged");
    }

    #[test]
    fn dc_15_control_characters_and_white_space_collapse() {
        assert_eq!(display_name("  Notes\r\n\tSync\u{2028}\u{00A0}\u{3000} \0\u{7}!  "), "Notes Sync !");
        assert_eq!(display_name("\u{200B} \u{200B}\n"), "");
    }

    #[test]
    fn dc_15_long_names_are_cut() {
        let name = display_name(&"x".repeat(10_240));
        assert_eq!(name.chars().count(), MAX_NAME_CHARS);
        assert!(name.ends_with("x…"));
        assert_eq!(display_name(&"é".repeat(MAX_NAME_CHARS)), "é".repeat(MAX_NAME_CHARS));
        assert_eq!(display_name(&"é".repeat(MAX_NAME_CHARS + 1)).chars().count(), MAX_NAME_CHARS);
        assert_eq!(visible(&"h".repeat(200)).len(), 200);
    }

    #[test]
    fn dc_15_stacked_accents_are_bounded() {
        assert_eq!(display_name(&format!("a{}b", "\u{0301}".repeat(50))), "a\u{0301}\u{0301}b");
    }

    #[test]
    fn names_of_the_world_stay_as_they_are() {
        for name in ["Føroyar Notes", "日程表", "مذكرات", "Việt Ghi chú", "R&D <Tools>", "Пример"]
        {
            assert_eq!(display_name(name), name);
        }
    }
}
