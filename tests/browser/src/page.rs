//! What somebody at the browser does and sees.

use std::time::Duration;

use base64::Engine as _;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::Mutex;

/// How long the browser may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// The key under which the protocol passes elements around.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The tab that is looked at, in a browser of its own.
pub struct Page {
    http: Client,
    session: String,
    console: Mutex<Vec<String>>,
    _driver: Child,
    _profile: TempDir,
}

impl Page {
    pub(crate) fn new(http: Client, session: String, driver: Child, profile: TempDir) -> Self {
        Self { http, session, console: Mutex::default(), _driver: driver, _profile: profile }
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let request = self.http.request(method.clone(), format!("{}{path}", self.session));
        let request = if method == Method::POST { request.json(&body) } else { request };
        let answer: Value =
            request.send().await.expect("the driver answers").json().await.expect("it speaks JSON");
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        match self.send(Method::POST, path, body.clone()).await {
            Ok(value) => value,
            Err(error) => panic!("{path} {body}: {error}\nat {}\n{}", self.url().await, self.text().await),
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, Value::Null).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Types an address and presses Enter.
    pub async fn go(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// The address bar.
    pub async fn url(&self) -> String {
        self.get("/url").await.as_str().unwrap_or_default().to_owned()
    }

    /// The back button.
    pub async fn back(&self) {
        self.post("/back", json!({})).await;
    }

    /// The reload button.
    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// The one element that matches, as soon as there is one.
    async fn find(&self, css: &str) -> String {
        let found = self.post("/element", json!({ "using": "css selector", "value": css })).await;
        found[ELEMENT].as_str().expect("an element has an id").to_owned()
    }

    /// Waits until something matches.
    pub async fn sees(&self, css: &str) {
        self.find(css).await;
    }

    /// Waits for an element and clicks it.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    /// Waits for an element, clicks it, and waits until another page is there.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn follow(&self, css: &str) {
        let before = self.find("html").await;
        self.click(css).await;
        let gone = async {
            while self.send(Method::GET, &format!("/element/{before}/name"), Value::Null).await.is_ok() {}
        };
        let gone = tokio::time::timeout(PATIENCE, gone).await;
        assert!(gone.is_ok(), "{css} led nowhere from {}", self.url().await);
    }

    /// Goes to an address again and again until its page says something.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn go_until(&self, url: &str, words: &str) {
        let said = async {
            loop {
                self.go(url).await;
                if self.text().await.contains(words) {
                    break;
                }
            }
        };
        assert!(tokio::time::timeout(PATIENCE, said).await.is_ok(), "{url} never says {words:?}");
    }

    /// Waits for an element and clicks it twice, as fast as the browser can.
    pub async fn double_click(&self, css: &str) {
        let element = self.find(css).await;
        let mut actions =
            vec![json!({ "type": "pointerMove", "origin": { ELEMENT: element }, "x": 0, "y": 0 })];
        for _ in 0..2 {
            actions.push(json!({ "type": "pointerDown", "button": 0 }));
            actions.push(json!({ "type": "pointerUp", "button": 0 }));
        }
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": actions });
        self.post("/actions", json!({ "actions": [mouse] })).await;
    }

    /// Replaces what a field holds.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.post(&format!("/element/{element}/clear"), json!({})).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    /// What an element says, as soon as it is there.
    pub async fn text_of(&self, css: &str) -> String {
        let element = self.find(css).await;
        self.get(&format!("/element/{element}/text")).await.as_str().unwrap_or_default().to_owned()
    }

    /// What a field holds.
    pub async fn value_of(&self, css: &str) -> String {
        let element = self.find(css).await;
        self.get(&format!("/element/{element}/property/value")).await.as_str().unwrap_or_default().to_owned()
    }

    /// Everything that the page says.
    pub async fn text(&self) -> String {
        let script = json!({ "script": "return document.body ? document.body.innerText : ''", "args": [] });
        let text = self.send(Method::POST, "/execute/sync", script).await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The tab that is looked at, for [`Page::switch`].
    pub async fn tab(&self) -> String {
        self.get("/window").await.as_str().expect("a tab has a handle").to_owned()
    }

    /// Opens a tab and looks at it.
    pub async fn new_tab(&self) -> String {
        let opened = self.post("/window/new", json!({ "type": "tab" })).await;
        let tab = opened["handle"].as_str().expect("a tab has a handle").to_owned();
        self.switch(&tab).await;
        tab
    }

    /// Looks at another tab.
    pub async fn switch(&self, tab: &str) {
        self.post("/window", json!({ "handle": tab })).await;
    }

    /// What the console has said.
    pub(crate) async fn log(&self) -> Vec<String> {
        let mut log = self.console.lock().await;
        log.extend(self.entries("browser").await);
        log.clone()
    }

    /// Waits until the console says something.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn says(&self, words: &str) {
        let said = async { while !self.log().await.iter().any(|line| line.contains(words)) {} };
        assert!(tokio::time::timeout(PATIENCE, said).await.is_ok(), "the console never said {words:?}");
    }

    /// Waits until the browser asks for an address that begins so, also one that no browser can open, and gives it whole.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn asks_for(&self, prefix: &str) -> String {
        let asked = async {
            loop {
                for entry in self.entries("performance").await {
                    let event: Value = serde_json::from_str(&entry).unwrap_or_default();
                    let event = &event["message"];
                    let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                    if event["method"] == "Network.requestWillBeSent" && url.starts_with(prefix) {
                        return url.to_owned();
                    }
                }
            }
        };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        asked.unwrap_or_else(|_| panic!("the browser never asked for {prefix}"))
    }

    async fn entries(&self, of: &str) -> Vec<String> {
        let entries = self.post("/se/log", json!({ "type": of })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect()
    }

    /// A picture of the page (PNG).
    pub async fn picture(&self) -> Vec<u8> {
        let picture = self.get("/screenshot").await;
        base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap_or_default())
            .unwrap_or_default()
    }

    /// A phone's window, or another.
    pub async fn resize(&self, width: u32, height: u32) {
        self.post("/window/rect", json!({ "width": width, "height": height })).await;
    }

    /// Ends the browser.
    pub(crate) async fn close(&self) {
        // The driver takes the browser down with it in any case.
        let _ = self.send(Method::DELETE, "", Value::Null).await;
    }
}
