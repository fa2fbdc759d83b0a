//! A device asks (RFC 8628 §3.1, §3.2).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;

use super::DeviceFlow;
use crate::audit::EventKind;
use crate::client::AuthenticatedClient;
use crate::error::{Error, ErrorCode};
use crate::grant::{Details, Device, Grant, Refusal, State};
use crate::handle::{GrantId, Kind, UserCode};
use crate::json::{Json, Members};
use crate::limit::{LimitBy, Rule};
use crate::params::Params;
use crate::secret::Secret32;
use crate::server::pending::CLOCK_SKEW;
use crate::server::{Concerned, Inserted, Server};
use crate::token::{Permit, TokenRequest};

/// What a user code's grant id is derived for.
pub(super) const USER_CODE: &str = "user code";

/// How many user codes are drawn before giving up: a second one is needed once in billions of requests.
const DRAWS: usize = 8;

/// What the device is told (RFC 8628 §3.2).
#[derive(Clone)]
pub struct DeviceAuthorization {
    /// What the device polls with. A secret.
    pub device_code: String,
    /// What the device shows, such as `WDJB-MJHT`.
    pub user_code: UserCode,
    /// Where it is to be typed.
    pub verification_uri: String,
    /// The same with the user code, for QR codes; the owner still has to say yes.
    pub verification_uri_complete: String,
    /// Whole seconds until both codes expire.
    pub expires_in: u64,
    /// Whole seconds between polls.
    pub interval: u32,
}

impl DeviceAuthorization {
    /// The JSON document of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        Json::to_json(self)
    }
}

impl Json for DeviceAuthorization {
    fn members(&self, json: &mut impl Members) {
        json.text(r#"{"device_code":"#, &self.device_code);
        json.text(r#","user_code":"#, &self.user_code.shown());
        json.text(r#","verification_uri":"#, &self.verification_uri);
        json.text(r#","verification_uri_complete":"#, &self.verification_uri_complete);
        json.number(r#","expires_in":"#, i64::try_from(self.expires_in).unwrap_or(i64::MAX));
        json.number(r#","interval":"#, i64::from(self.interval));
    }
}

/// Shows no code.
impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// The settings of the device flow, where it is switched on.
    pub fn device_flow(&self) -> Option<&DeviceFlow> {
        self.device_flow.as_ref()
    }

    /// The path of the verification page, with the issuer's in front; `None` where the device flow is off.
    pub fn verification_path(&self) -> Option<String> {
        Some([self.issuer.path(), &self.device_flow.as_ref()?.path].concat())
    }

    /// Answers a device authorization request: its headers, its body in `application/x-www-form-urlencoded`, and the address
    /// that it came from, which the owner of the device is shown.
    ///
    /// # Errors
    ///
    /// The RFC's code in every case, and [`ErrorCode::TooManyRequests`]; 503 when the store fails.
    pub async fn device_authorization(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        from: Option<IpAddr>,
    ) -> Result<DeviceAuthorization, Error> {
        let now = self.now();
        let off = || Error::new(ErrorCode::UnauthorizedClient, "the server has no device flow");
        let flow = self.device_flow.as_ref().ok_or_else(off)?;
        let params = Params::parse(body)?;
        let client = self.authenticate_at(headers, &params, from, now).await?;
        let request = TokenRequest { client: &client, params: &params, now };
        let answer = self.begin_device(flow, &request, from).await;
        answer.map_err(|error| error.for_client(client.shared_id()))
    }

    async fn begin_device(
        &self,
        flow: &DeviceFlow,
        request: &TokenRequest<'_>,
        from: Option<IpAddr>,
    ) -> Result<DeviceAuthorization, Error> {
        let client = request.client;
        if !client.may_use(DeviceFlow::GRANT_TYPE) {
            return Err(Error::new(ErrorCode::UnauthorizedClient, "the client may not use the device flow"));
        }
        // What the client may ask for is what it could have for itself; whose it will be is not known yet.
        let asked = Permit::for_client(request)?;
        self.catch_up(request.now).await?;
        self.limits().take(&[(Rule::DeviceClient, LimitBy::Client(client.id()))]).await?;
        let handles = self.handles();
        let expires_at = request.now + flow.lifetime;
        let requested_from = from.map(|address| Arc::<str>::from(address.to_canonical().to_string()));
        for _ in 0..DRAWS {
            let user_code = UserCode::generate(&*self.random);
            let id = GrantId::from_bytes(handles.keyed_id(USER_CODE, &[user_code.letters()]));
            let code = handles.mint(Kind::Device, id, 0, Secret32::generate(&*self.random));
            let device = Device {
                digest: code.digest(),
                expires_at,
                interval: flow.interval,
                requested_from: requested_from.clone(),
                redeemed_at: None,
            };
            let grant = self.requested(client, &asked, device);
            match self.insert_grant(self.new_grant(id, grant, client.fence())).await? {
                Inserted::New => {
                    let (client_id, grant_id) = (Some(client.id()), Some(id));
                    let concerned = Concerned { client_id, grant_id, subject: None };
                    self.tell(concerned, EventKind::DeviceCodeIssued { scope: &asked.scope });
                    let uri = self.issuer.join(&flow.path);
                    return Ok(DeviceAuthorization {
                        device_code: handles.write(&code),
                        verification_uri_complete: format!("{uri}?user_code={}", user_code.shown()),
                        verification_uri: uri,
                        user_code,
                        expires_in: flow.lifetime.as_secs(),
                        interval: flow.interval,
                    });
                }
                Inserted::Fenced => return Err(Refusal::Revoked.into()),
                Inserted::Exists(_) => {}
            }
        }
        Err(Error::unavailable("every user code that was drawn is in use"))
    }

    fn requested(&self, client: &AuthenticatedClient, asked: &Permit, device: Device) -> Grant {
        Grant {
            issuer: self.issuer_text.clone(),
            client_id: client.shared_id(),
            subject: None,
            session: None,
            scope: asked.scope.clone(),
            resources: asked.resources.clone(),
            created_at: self.now(),
            // Replicas whose clocks differ still answer that it has expired, and not that they never heard of it.
            expires_at: device.expires_at + CLOCK_SKEW,
            generation: 0,
            state: State::Requested,
            code: None,
            authentication: None,
            details: Some(Box::new(Details { device: Some(Box::new(device)), ..Details::default() })),
        }
    }
}
