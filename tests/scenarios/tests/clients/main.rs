//! Clients that people use, as they are seen to behave: how each makes itself known, where it wants its answers, what it asks for
//! and what it cannot read. Each goes from the metadata to a token that was refreshed.

mod documents;
mod known;
mod probes;
mod quirks;
mod sheet;

use known::{Known, Registration};
use scenario_tests::{FILES, Setup, World};

use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::{ClientIdMetadataDocuments, DynamicRegistration};
use oauth_fetch::Fetcher;

/// A server for strangers on loopback, as on a developer's machine, with one API.
fn setup() -> Setup {
    Setup::new().on_loopback().server(|builder| {
        let secret = ClientSecret::from_text(scenario_tests::secret("connector"));
        let connector = Client::confidential("connector", &secret).name("A connector");
        builder
            .scope("offline_access", "stay signed in")
            .resource(FILES)
            .document_fetcher(Fetcher::builder().allow_loopback().build())
            .client_id_metadata_documents(ClientIdMetadataDocuments::new().allow_loopback())
            .dynamic_registration(DynamicRegistration::open())
            .client(
                connector
                    .redirect_uri("https://claude.ai/api/mcp/auth_callback")
                    .scope("notes:read notes:write profile offline_access")
                    .resource(FILES),
            )
    })
}

async fn world() -> World {
    setup().start().await
}
