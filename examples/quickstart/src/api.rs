//! The protected API: what somebody has noted. It knows tokens, not passwords or cookies.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use oauth_core::server::AccessToken;
use oauth_tower::bearer::Bearer;
use serde_json::{Value, json};

use crate::place::Place;
use crate::saved::Saved;

const MAX_NOTES: usize = 5;

#[derive(Clone)]
pub(crate) struct Notes(Arc<Saved<HashMap<String, Vec<String>>>>);

pub(crate) async fn read(token: Bearer, notes: State<Notes>) -> Json<Value> {
    notes.answer(&token, |_| ())
}

pub(crate) async fn add(token: Bearer, notes: State<Notes>, note: String) -> Json<Value> {
    notes.answer(&token, |own| {
        own.push(note.chars().take(200).collect());
        if own.len() > MAX_NOTES {
            own.remove(0);
        }
    })
}

impl Notes {
    pub(crate) fn open(place: &Place) -> Result<Self, Box<dyn Error>> {
        Ok(Self(Arc::new(place.saved("notes.json")?)))
    }

    fn answer(&self, token: &AccessToken, change: impl FnOnce(&mut Vec<String>)) -> Json<Value> {
        let subject = token.subject.as_deref().unwrap_or_default();
        self.0.write(|notes| {
            let own = notes.entry(subject.to_owned()).or_insert_with(|| vec!["Buy milk".to_owned()]);
            change(own);
            Json(json!({ "of": subject, "notes": own }))
        })
    }
}
