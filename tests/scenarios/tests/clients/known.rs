//! A client in general: it makes itself known, and goes from the metadata to a token that was refreshed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_jose::{Algorithm, LocalKey, Signer as _};
use scenario_tests::{Reply, World, basic, encode, secret};
use serde_json::{Value, json};
use url::Url;

use crate::documents::Documents;

/// How a client makes itself known.
#[derive(Clone, Debug)]
pub(crate) enum Registration {
    /// It registers itself with these metadata.
    Dynamic(Value),
    /// Its id is the URL of a document: its path, and the document without `client_id`.
    Document(&'static str, Value),
    /// The host has registered it.
    Host(&'static str),
}

/// A client that the server knows, as the client itself sees it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: String,
    method: String,
    secret: String,
    key: Option<LocalKey>,
    metadata: Value,
    issuer: String,
}

/// What a client puts into its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asks<'a> {
    /// Where it wants its answer.
    pub(crate) redirect_uri: &'a str,
    /// `None`: all that the metadata list, in that order.
    pub(crate) scope: Option<&'a str>,
    /// The `resource` parameters of authorization requests.
    pub(crate) resource: &'a [&'a str],
    /// The `resource` parameters of token requests.
    pub(crate) at_token: &'a [&'a str],
    pub(crate) state: Option<&'a str>,
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Known {
    /// Reads the metadata, and makes itself known by what they allow.
    pub(crate) async fn new(world: &World, documents: &Documents, registration: &Registration) -> Self {
        let metadata = world.net.get("/.well-known/oauth-authorization-server").await.json();
        assert_no_null(&metadata);
        assert_eq!(metadata["issuer"], world.issuer());
        let mut known = Self {
            id: String::new(),
            method: "none".to_owned(),
            secret: String::new(),
            key: None,
            metadata,
            issuer: world.issuer().to_owned(),
        };
        match registration {
            Registration::Host(id) => {
                (known.id, known.secret) = ((*id).to_owned(), secret(id));
                known.method = if *id == "cli" { "none" } else { "client_secret_basic" }.to_owned();
            }
            Registration::Document(path, document) => known.describe(documents, path, document),
            Registration::Dynamic(metadata) => known.register(world, metadata).await,
        }
        known
    }

    fn describe(&mut self, documents: &Documents, path: &str, document: &Value) {
        // Clients take this road only where both are said.
        assert_eq!(self.metadata["client_id_metadata_document_supported"], true);
        assert!(self.list("token_endpoint_auth_methods_supported").contains(&"none".to_owned()));
        let mut document = document.clone();
        document["client_id"] = format!("{{host}}{path}").into();
        if document.get("jwks_uri").is_some() {
            let key = LocalKey::generate(Algorithm::Rs256).expect("a key").with_kid("k1");
            documents.put("/oauth/jwks.json", &json!({ "keys": [key.key().jwk()] }));
            self.key = Some(key);
        }
        if let Some(method) = document["token_endpoint_auth_method"].as_str() {
            method.clone_into(&mut self.method);
        }
        self.id = documents.put(path, &document);
    }

    async fn register(&mut self, world: &World, metadata: &Value) {
        let endpoint = self.metadata["registration_endpoint"].as_str().expect("registration");
        let request = http::Request::post(endpoint).header("content-type", "application/json");
        let request = request.header("mcp-protocol-version", "2025-11-25");
        let reply = world.net.send(request.body(metadata.to_string().into_bytes()).unwrap()).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let answer = reply.json();
        assert_no_null(&answer);
        assert_eq!(answer["redirect_uris"], metadata["redirect_uris"]);
        assert!(answer["client_id_issued_at"].is_u64(), "{answer}");
        assert_eq!(answer["client_secret"].is_string(), answer["client_secret_expires_at"].is_u64());
        for member in ["client_name", "application_type", "client_uri", "logo_uri", "software_id", "contacts"]
        {
            if let Some(sent) = metadata.get(member) {
                assert_eq!(answer[member], *sent, "{member}");
            }
        }
        self.id = reply.member("client_id");
        self.method = reply.member("token_endpoint_auth_method");
        self.secret = answer["client_secret"].as_str().unwrap_or_default().to_owned();
    }

    fn list(&self, name: &str) -> Vec<String> {
        serde_json::from_value(self.metadata[name].clone()).expect("a list")
    }

    /// The authorization request.
    pub(crate) fn request(&self, asks: &Asks<'_>) -> String {
        let all = self.list("scopes_supported").join(" ");
        let mut url: Url = self.metadata["authorization_endpoint"].as_str().unwrap().parse().unwrap();
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &self.id);
        query.append_pair("redirect_uri", asks.redirect_uri);
        query.append_pair("code_challenge", CHALLENGE).append_pair("code_challenge_method", "S256");
        query.append_pair("scope", asks.scope.unwrap_or(&all));
        if let Some(state) = asks.state {
            query.append_pair("state", state);
        }
        for resource in asks.resource {
            query.append_pair("resource", resource);
        }
        drop(query);
        url.into()
    }

    /// The code that alice gives.
    pub(crate) async fn code(&self, world: &World, asks: &Asks<'_>) -> String {
        let answer = world.browser().go_through(&self.request(asks), "alice").await;
        assert!(answer.as_str().starts_with(asks.redirect_uri), "{answer}");
        let one = |name: &str| {
            let values: Vec<_> = answer.query_pairs().filter(|(own, _)| own == name).collect();
            assert!(values.len() < 2, "{answer}");
            values.first().map(|(_, value)| value.clone().into_owned())
        };
        assert_eq!(one("iss").as_deref(), Some(&*self.issuer));
        assert_eq!(one("state").as_deref(), asks.state);
        one("code").unwrap_or_else(|| panic!("no code: {answer}"))
    }

    /// A request to the token endpoint, authenticated as the client does it.
    pub(crate) async fn post(&self, world: &World, form: &str, resources: &[&str]) -> Reply {
        let mut form = form.to_owned();
        for resource in resources {
            form.push_str(&format!("&resource={}", encode(resource)));
        }
        let endpoint = self.metadata["token_endpoint"].as_str().expect("a token endpoint");
        let id = encode(&self.id);
        match self.method.as_str() {
            "client_secret_basic" => {
                let credentials = basic(&self.id, &self.secret);
                world.net.post(endpoint, &[("authorization", &credentials)], &form).await
            }
            "client_secret_post" => {
                let secret = encode(&self.secret);
                world.net.post(endpoint, &[], &format!("{form}&client_id={id}&client_secret={secret}")).await
            }
            "private_key_jwt" => {
                let assertion = self.assertion(world).await;
                world.net.post(endpoint, &[], &format!("{form}&client_id={id}&{assertion}")).await
            }
            _ => world.net.post(endpoint, &[], &format!("{form}&client_id={id}")).await,
        }
    }

    async fn assertion(&self, world: &World) -> String {
        let key = self.key.as_ref().expect("a key");
        let now = world.server.now().as_secs();
        let jti = oauth_core::client::ClientSecret::generate();
        let claims = json!({
            "iss": self.id, "sub": self.id, "aud": self.issuer, "iat": now, "exp": now + 60, "jti": jti.expose(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).await.expect("a signature"));
        let of_type = encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        format!("client_assertion_type={of_type}&client_assertion={signed}.{signature}")
    }

    /// Redeems a code.
    pub(crate) async fn redeem(&self, world: &World, code: &str, asks: &Asks<'_>) -> Reply {
        let form = format!(
            "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&redirect_uri={}",
            encode(asks.redirect_uri)
        );
        self.post(world, &form, asks.at_token).await
    }

    /// Refreshes.
    pub(crate) async fn refresh(&self, world: &World, token: &str, asks: &Asks<'_>) -> Reply {
        self.post(world, &format!("grant_type=refresh_token&refresh_token={token}"), asks.at_token).await
    }

    /// From the authorization request to a token that was refreshed.
    pub(crate) async fn whole_life(&self, world: &World, asks: &Asks<'_>) {
        let code = self.code(world, asks).await;
        let first = tokens(&self.redeem(world, &code, asks).await);
        works(world, &first).await;
        let second = tokens(&self.refresh(world, &first["refresh_token"], asks).await);
        works(world, &second).await;
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        let third = tokens(&self.refresh(world, &second["refresh_token"], asks).await);
        works(world, &third).await;
        // Anybody's reuse ends it.
        let reused = self.refresh(world, &first["refresh_token"], asks).await;
        assert_eq!(reused.refusal(), (400, "invalid_grant".to_owned()));
    }
}

/// The members of a token response that strict parsers take.
#[track_caller]
pub(crate) fn tokens(reply: &Reply) -> std::collections::HashMap<&'static str, String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), "no-store");
    let answer = reply.json();
    assert_no_null(&answer);
    assert_eq!(answer["token_type"], "Bearer");
    assert!(answer["expires_in"].is_u64(), "{answer}");
    ["access_token", "refresh_token", "scope"].map(|name| (name, reply.member(name))).into()
}

/// The token is good at the API that it is for.
async fn works(world: &World, tokens: &std::collections::HashMap<&'static str, String>) {
    let reply = world.call("GET", "/api/files", &tokens["access_token"]).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "id-alice"), "{reply:?}");
}

/// Absent members are left out: strict parsers refuse `null`.
#[track_caller]
pub(crate) fn assert_no_null(value: &Value) {
    let none = match value {
        Value::Null => false,
        Value::Array(values) => {
            values.iter().for_each(assert_no_null);
            true
        }
        Value::Object(members) => {
            members.values().for_each(assert_no_null);
            true
        }
        _ => true,
    };
    assert!(none, "{value}");
}
