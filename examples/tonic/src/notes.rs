//! The service: everybody has their own notes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oauth_tower::bearer::RequestExt;
use tonic::{Request, Response, Status};

use crate::pb::{AddReply, AddRequest, ListReply, ListRequest, notes_server};

/// Notes by client.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<HashMap<String, Vec<String>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl notes_server::Notes for Notes {
    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        let token = request.access_token()?;
        let notes = self.lock().get(&*token.client_id).cloned().unwrap_or_default();
        Ok(Response::new(ListReply { notes }))
    }

    async fn add(&self, request: Request<AddRequest>) -> Result<Response<AddReply>, Status> {
        let owner = request.access_token()?.client_id.to_string();
        let mut all = self.lock();
        let notes = all.entry(owner).or_default();
        notes.push(request.into_inner().text);
        Ok(Response::new(AddReply { count: u32::try_from(notes.len()).unwrap_or(u32::MAX) }))
    }
}
