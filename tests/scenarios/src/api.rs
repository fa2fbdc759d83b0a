//! The API: notes, for which a scope is enough, and files, whose tokens must be meant for them.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use oauth_core::server::Server;
use oauth_tower::bearer::{Bearer, BearerLayer, RequireScopeLayer};

use crate::FILES;

/// `/api/notes` (GET `notes:read`, POST also `notes:write`) and `/api/files` (audience [`FILES`]). Each answers who asks.
pub fn router(server: Arc<Server>) -> Router {
    let notes = Router::new()
        .route(
            "/api/notes",
            axum::routing::post(whose).layer(RequireScopeLayer::new("notes:write")).get(whose),
        )
        .route_layer(BearerLayer::new(server.clone()).require_scope("notes:read").cors());
    let files =
        Router::new().route("/api/files", get(whose)).route_layer(BearerLayer::new(server).resource(FILES));
    notes.merge(files)
}

async fn whose(token: Bearer) -> String {
    token.subject().unwrap_or("nobody").to_owned()
}
