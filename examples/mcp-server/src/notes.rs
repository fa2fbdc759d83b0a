//! The tools: notes, each person's own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use oauth_core::server::AccessToken;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

/// Notes by whose they are.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<HashMap<Arc<str>, Vec<String>>>>);

#[derive(Deserialize, JsonSchema)]
struct NewNote {
    /// What it says.
    text: String,
}

#[tool_router]
impl Notes {
    #[tool(description = "Lists your notes")]
    async fn list_notes(&self, Extension(parts): Extension<Parts>) -> Result<String, ErrorData> {
        let whose = whose(&parts)?;
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = notes.get(&whose).map(|own| own.join("\n")).unwrap_or_default();
        Ok(format!("notes of {whose}:\n{own}"))
    }

    #[tool(description = "Adds a note")]
    async fn add_note(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(note): Parameters<NewNote>,
    ) -> Result<String, ErrorData> {
        let whose = whose(&parts)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(whose).or_default().push(note.text);
        Ok("added".to_owned())
    }
}

/// Who has let the client in. The guard puts the token there.
fn whose(parts: &Parts) -> Result<Arc<str>, ErrorData> {
    let token = parts.extensions.get::<Arc<AccessToken>>();
    let subject = token.and_then(|token| token.subject.clone());
    subject.ok_or_else(|| ErrorData::internal_error("no person has let the client in", None))
}

#[tool_handler]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
