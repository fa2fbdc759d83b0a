//! Reading a page as a person would: its words, its form, its links.

use std::fmt;

use url::Url;

/// A page that a browser shows.
#[derive(Clone)]
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// Its status.
    pub status: u16,
    /// Its HTML.
    pub html: String,
}

/// Without the styles, which would fill the screen.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let main = self.html.split_once("<main>").map_or(&*self.html, |(_, main)| main);
        write!(f, "{} at {}\n{main}", self.status, self.url)
    }
}

/// A form, with the values that it would send by itself.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: Url,
    pub(crate) hidden: Vec<(String, String)>,
    names: Vec<String>,
}

impl Form {
    /// Whether a person can set this field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }
}

impl Page {
    /// Whether a text is on it.
    pub fn shows(&self, text: &str) -> bool {
        unescape(&self.html).contains(text)
    }

    /// Whether it asks who one is.
    pub fn is_sign_in(&self) -> bool {
        self.try_form().is_some_and(|form| form.has("password"))
    }

    /// Whether it asks for consent.
    pub fn is_consent(&self) -> bool {
        self.try_form().is_some_and(|form| form.has("decision"))
    }

    /// The value of a hidden field.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    pub fn hidden(&self, name: &str) -> String {
        let form = self.form();
        let field = form.hidden.iter().find(|(own, _)| own == name);
        field.unwrap_or_else(|| panic!("no field {name} on {self:?}")).1.clone()
    }

    /// Where the link with that text leads.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn link(&self, text: &str) -> Url {
        let found = tags(&self.html, "a").find(|(tag, rest)| tag.contains("href") && rest.starts_with(text));
        let (tag, _) = found.unwrap_or_else(|| panic!("no link {text} on {self:?}"));
        self.url.join(&attribute(tag, "href").unwrap_or_default()).expect("a link")
    }

    pub(crate) fn form(&self) -> Form {
        self.try_form().unwrap_or_else(|| panic!("no form on {self:?}"))
    }

    fn try_form(&self) -> Option<Form> {
        let (tag, rest) = tags(&self.html, "form").next()?;
        assert_eq!(attribute(tag, "method").as_deref(), Some("post"), "{self:?}");
        let inside = rest.split("</form>").next()?;
        let (mut hidden, mut names) = (Vec::new(), Vec::new());
        for (tag, _) in tags(inside, "input").chain(tags(inside, "button")) {
            let Some(name) = attribute(tag, "name") else { continue };
            if attribute(tag, "type").as_deref() == Some("hidden") {
                hidden.push((name, attribute(tag, "value").unwrap_or_default()));
            } else {
                names.push(name);
            }
        }
        let action = self.url.join(&attribute(tag, "action").unwrap_or_default()).expect("an action");
        Some(Form { action, hidden, names })
    }
}

/// Each tag of a name: its attributes, and what follows it.
fn tags<'a>(html: &'a str, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let open = format!("<{name} ");
    let starts: Vec<_> = html.match_indices(&open).map(|(at, open)| at + open.len()).collect();
    starts.into_iter().filter_map(move |at| html[at..].split_once('>'))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!("{name}=\""))?.1;
    rest.split('"').next().map(unescape)
}

fn unescape(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let text = named.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&#60;", "<").replace("&#62;", ">").replace("&amp;", "&")
}
