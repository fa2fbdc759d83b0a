//! The client: it gets tokens over HTTP and calls the services over gRPC.

use std::error::Error;

use oauth_core::client::ClientSecret;
use oauth2::basic::BasicClient;
use oauth2::reqwest;
use oauth2::{ClientId, ClientSecret as Secret, Scope, TokenResponse, TokenUrl};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::pb::notes_client::NotesClient;
use crate::pb::{AddRequest, ListRequest};

/// What the client saw.
#[derive(Debug)]
pub struct Seen {
    /// The notes, after one was added.
    pub notes: Vec<String>,
    /// What it heard without a token.
    pub without: Refused,
    /// What it heard when it tried to add a note with a token for reading.
    pub reading_only: Refused,
    /// What the health service said, which needs no token.
    pub healthy: bool,
    /// What the HTTP route said.
    pub whoami: String,
    /// The HTTP status of that route without a token.
    pub whoami_without: u16,
}

/// A refusal of gRPC.
#[derive(Debug)]
pub struct Refused {
    /// The status code.
    pub code: Code,
    /// The challenge, which says what would help.
    pub challenge: String,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let challenge = status.metadata().get("www-authenticate").and_then(|value| value.to_str().ok());
        Self { code: status.code(), challenge: challenge.unwrap_or_default().to_owned() }
    }
}

/// Gets a token for reading and one for writing, and tries what they are good for.
///
/// # Errors
///
/// If anything on the way fails.
pub async fn run(issuer: &str, secret: &ClientSecret) -> Result<Seen, Box<dyn Error>> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let oauth = BasicClient::new(ClientId::new("notebook".to_owned()))
        .set_client_secret(Secret::new(secret.expose().to_owned()))
        .set_token_uri(TokenUrl::new(format!("{issuer}/token"))?);
    let token = async |scope: &str| {
        let request = oauth.exchange_client_credentials().add_scope(Scope::new(scope.to_owned()));
        let response = request.request_async(&http).await?;
        Ok::<_, Box<dyn Error>>(format!("Bearer {}", response.access_token().secret()))
    };
    let (read, write) = (token("notes:read").await?, token("notes:write").await?);

    let channel = Endpoint::from_shared(issuer.to_owned())?.connect().await?;
    let mut notes = NotesClient::new(channel.clone());
    let text = "water the plants".to_owned();
    notes.add(with(&write, AddRequest { text: text.clone() })?).await?;
    let listed = notes.list(with(&read, ListRequest {})?).await?.into_inner();
    let without = notes.list(ListRequest {}).await.err().ok_or("a refusal")?;
    let reading_only = notes.add(with(&read, AddRequest { text })?).await.err().ok_or("a refusal")?;
    let health = HealthCheckRequest { service: "notes.Notes".to_owned() };
    let healthy = HealthClient::new(channel).check(health).await?.into_inner().status == 1;

    let whoami = http.get(format!("{issuer}/whoami"));
    Ok(Seen {
        notes: listed.notes,
        without: without.into(),
        reading_only: reading_only.into(),
        healthy,
        whoami_without: whoami.try_clone().ok_or("a request")?.send().await?.status().as_u16(),
        whoami: whoami.header("authorization", read).send().await?.text().await?,
    })
}

fn with<T>(token: &str, message: T) -> Result<Request<T>, Box<dyn Error>> {
    let mut request = Request::new(message);
    let token: MetadataValue<Ascii> = token.parse()?;
    request.metadata_mut().insert("authorization", token);
    Ok(request)
}
