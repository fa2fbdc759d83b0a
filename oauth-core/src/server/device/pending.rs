//! The owner of a device types its code, sees what it asks for, and decides (RFC 8628 §3.3).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Method;
use http::request::Parts;

use super::DeviceFlow;
use super::request::USER_CODE;
use super::ticket::DeviceTicket;
use crate::audit::EventKind;
use crate::authorize::{BrowserCookie, Login, ShowError, ShowKind, is_same_origin};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{Approval, Grant, Plan, Refusal, Resources, RevokeReason, State};
use crate::handle::{GrantId, SealError, UserCode};
use crate::limit::{LimitBy, Rule};
use crate::scope::Scope;
use crate::server::advance::Revoke;
use crate::server::{Concerned, RateLimited, Server, Step};
use crate::storage::Key;

/// Why a typed code leads nowhere.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device waits with this code: it is wrong, has expired or was used. One answer for all, so that it is no oracle.
    #[error("no device waits with this user code")]
    UnknownCode,
    /// Too many wrong codes.
    #[error(transparent)]
    TooMany(#[from] RateLimited),
    /// Anything else: to be shown.
    #[error(transparent)]
    Show(#[from] ShowError),
}

impl From<Error> for DeviceError {
    fn from(error: Error) -> Self {
        Self::Show(error.into())
    }
}

/// A device that waits, and a question for the person who has typed its code: is this yours, and may it have this?
///
/// # Security
///
/// Show the client, the scope, the code and where the request came from, and say that the person must have started it
/// themselves: the code may have come from a stranger (RFC 8628 §5.4). Put [`DevicePending::ticket`] into the form; its POST
/// goes to [`Server::resume_device`].
pub struct DevicePending {
    server: Arc<Server>,
    client: Arc<Client>,
    login: Login,
    ticket: DeviceTicket,
    browser: [u8; 32],
    scope: Scope,
    resources: Resources,
    requested_from: Option<Arc<str>>,
}

/// An answer that is proven to come from the page, browser and sign-in that were asked. Made by [`Server::resume_device`] only.
#[derive(Debug)]
#[must_use = "accept or deny"]
pub struct DeviceDecision {
    pending: DevicePending,
}

impl DevicePending {
    /// The server that asks; it knows the words for scopes.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The client that asks.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// What it asks for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The resources that it asks for.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The code that the device shows.
    pub fn user_code(&self) -> &str {
        &self.ticket.user_code
    }

    /// The address that the device asked from, where it is known.
    pub fn requested_from(&self) -> Option<&str> {
        self.requested_from.as_deref()
    }

    /// Who is asked.
    pub fn subject(&self) -> &str {
        &self.login.subject
    }

    /// What to put into the page's form.
    ///
    /// # Security
    ///
    /// Sealed, and useless in any other browser or sign-in. It goes into a hidden field, never into a URL.
    pub fn ticket(&self) -> String {
        self.ticket.seal(&self.server.handles(), &self.browser, self.server.random())
    }
}

/// Shows who asks whom for what; code and ticket stay hidden.
impl fmt::Debug for DevicePending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevicePending")
            .field("client_id", &self.client.id())
            .field("subject", &self.login.subject)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl DeviceDecision {
    /// What was asked.
    pub fn pending(&self) -> &DevicePending {
        &self.pending
    }

    /// The person lets the device in: to all, or to the part in `scope`. The same answer again is the same.
    ///
    /// # Errors
    ///
    /// [`ShowError`] where the code has expired or was answered before, `scope` is not a part of what was asked, everything of
    /// the subject or client was revoked meanwhile, or the store fails.
    pub async fn accept(self, scope: Option<Scope>) -> Result<(), ShowError> {
        let DevicePending { server, client, login, ticket, scope: asked, .. } = self.pending;
        if let Some(part) = &scope
            && (!part.is_subset_of(&asked) || (part.is_empty() && !asked.is_empty()))
        {
            let why = "the accepted scope is empty, or not a part of the requested one";
            return Err(ShowError::new(ShowKind::Malformed, why).for_client(client.id()));
        }
        let approval = Approval {
            subject: login.subject.clone(),
            session: login.session.clone(),
            authentication: login.authentication(),
            host_data: login.host_data.clone(),
            scope,
        };
        let approval = Approve(approval);
        server.decide_device(&ticket, &approval).await?;
        // As after each insert: an end of everything that came while this was being written finds it, or is found here.
        let key = Key::grant(ticket.grant);
        let stored = server.load_grant(&key).await?;
        let Some(grant) = stored.as_deref().and_then(|record| record.grant()) else { return Ok(()) };
        if server.is_behind(grant.fences(None), grant.created_at).await? {
            server.advance(ticket.grant, &Revoke(RevokeReason::Fence), server.now()).await?;
            let why = "access was revoked while the request was being answered";
            return Err(ShowError::new(ShowKind::LoginChanged, why).for_client(client.id()));
        }
        server.tell(
            concerned(&client, &login, &ticket),
            EventKind::DeviceApproved { scope: approval.0.scope.as_ref() },
        );
        Ok(())
    }

    /// The person turns the device away.
    ///
    /// # Errors
    ///
    /// As [`DeviceDecision::accept`].
    pub async fn deny(self) -> Result<(), ShowError> {
        let DevicePending { server, client, login, ticket, .. } = self.pending;
        server.decide_device(&ticket, &Deny).await?;
        server.tell(concerned(&client, &login, &ticket), EventKind::DeviceDenied);
        Ok(())
    }
}

fn concerned<'a>(client: &'a Client, login: &'a Login, ticket: &DeviceTicket) -> Concerned<'a> {
    Concerned { client_id: Some(client.id()), subject: Some(&login.subject), grant_id: Some(ticket.grant) }
}

struct Approve(Approval);
struct Deny;

impl Step for Approve {
    type Outcome = ();

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<()>, Refusal> {
        grant.approve_device(&self.0, now)
    }
}

impl Step for Deny {
    type Outcome = ();

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<()>, Refusal> {
        grant.deny_device(now)
    }
}

impl Server {
    /// Finds the device that waits with a code which somebody has typed; `login` is who the host says is signed in, `from`
    /// where the request comes from. The page with the form for the code sets a [`BrowserCookie`] where there is none.
    ///
    /// # Errors
    ///
    /// [`DeviceError::UnknownCode`] and [`DeviceError::TooMany`], which belong on the page with the form; the rest is shown as
    /// it is.
    ///
    /// # Security
    ///
    /// A POST of this origin only: otherwise any site could use up the attempts of whoever visits it.
    pub async fn device_pending(
        self: &Arc<Self>,
        head: &Parts,
        login: Login,
        user_code: &str,
        from: Option<IpAddr>,
    ) -> Result<DevicePending, DeviceError> {
        let browser = self.posting_browser(head)?;
        login.check()?;
        self.catch_up(self.now()).await?;
        let counted: Vec<_> =
            from.iter().map(|from| (Rule::UserCodeAddress, LimitBy::Address(*from))).collect();
        self.limits().take(&counted).await?;
        self.take_user_code_attempt(&login.subject).await?;
        let now = self.now();
        let found = match UserCode::parse(user_code) {
            Some(code) => {
                let mut found = self.find_device(&code, now).await?;
                // Another replica may have begun to derive ids with a key that is not known here yet.
                if found.is_none() && self.look_for_keys(now).await {
                    found = self.find_device(&code, now).await?;
                }
                found.map(|(id, grant)| (code, id, grant))
            }
            None => None,
        };
        let (code, id, grant) = found.ok_or(DeviceError::UnknownCode)?;
        let pending = self.ask_device(&browser, login, (id, &grant), code.shown(), now).await?;
        self.return_user_code_attempt(pending.subject()).await?;
        self.limits().put_back(&counted).await;
        Ok(pending)
    }

    /// Takes the POST of a confirmation page: `ticket` is what [`DevicePending::ticket`] put into the page, `login` is who the
    /// host says is signed in now.
    ///
    /// # Errors
    ///
    /// [`ShowError`] where the ticket is for another browser, another sign-in or too old, or the device does not wait any more.
    pub async fn resume_device(
        self: &Arc<Self>,
        head: &Parts,
        ticket: &str,
        login: Option<Login>,
    ) -> Result<DeviceDecision, ShowError> {
        let browser = self.posting_browser(head)?;
        let now = self.now();
        self.catch_up(now).await?;
        let open = || DeviceTicket::open(&self.handles(), &browser.hash(), ticket);
        let ticket = match open() {
            Err(SealError::UnknownKey) if self.look_for_keys(now).await => open(),
            opened => opened,
        };
        let ticket = ticket.map_err(crate::server::authorize::unsealed)?;
        if now >= ticket.expires_at || self.live.is_fenced(ticket.shown_at) {
            return Err(ShowError::new(ShowKind::Expired, "the device's code has expired"));
        }
        let changed = |why| ShowError::new(ShowKind::LoginChanged, why);
        let login = login.ok_or_else(|| changed("nobody is signed in any more"))?;
        if !ticket.is_for(&login) {
            return Err(changed("subject, authentication or session is another"));
        }
        let gone = || ShowError::new(ShowKind::Expired, "the device's grant is not stored any more");
        let record = self.load_grant(&Key::grant(ticket.grant)).await?.ok_or_else(gone)?;
        let grant = record.grant().ok_or_else(gone)?;
        let code = ticket.user_code.clone();
        let pending = self.ask_device(&browser, login, (ticket.grant, grant), code, ticket.shown_at).await;
        let pending = pending.map_err(|error| match error {
            DeviceError::Show(show) => show,
            _ => gone(),
        })?;
        Ok(DeviceDecision { pending })
    }

    /// The browser of a POST that comes from a page of this origin.
    fn posting_browser(&self, head: &Parts) -> Result<BrowserCookie, ShowError> {
        if head.method != Method::POST {
            return Err(ShowError::new(ShowKind::Method, "a device is let in by POST only"));
        }
        if !is_same_origin(head, self.issuer()) {
            return Err(ShowError::new(ShowKind::OtherBrowser, "the form came from another site"));
        }
        BrowserCookie::read(&head.headers, self.issuer())
            .ok_or_else(|| ShowError::new(ShowKind::OtherBrowser, "the browser cookie is missing or twice"))
    }

    /// The grant that waits with a user code, under any key of the ring.
    async fn find_device(&self, code: &UserCode, now: Timestamp) -> Result<Option<(GrantId, Grant)>, Error> {
        let ids: Vec<_> = self.handles().keyed_ids(USER_CODE, &[code.letters()]).collect();
        for id in ids.into_iter().map(GrantId::from_bytes) {
            let Some(record) = self.load_grant(&Key::grant(id)).await? else { continue };
            let waits = |grant: &&Grant| {
                grant.state == State::Requested
                    && grant.device().is_some_and(|device| now < device.expires_at)
                    && self.check_fence(grant).is_ok()
            };
            if let Some(grant) = record.grant().filter(waits) {
                return Ok(Some((id, grant.clone())));
            }
        }
        Ok(None)
    }

    async fn ask_device(
        self: &Arc<Self>,
        browser: &BrowserCookie,
        login: Login,
        (id, grant): (GrantId, &Grant),
        user_code: String,
        shown_at: Timestamp,
    ) -> Result<DevicePending, DeviceError> {
        let device = grant.device().ok_or(DeviceError::UnknownCode)?;
        let client = self.client(&grant.client_id).await?;
        let may_use = |client: &Arc<Client>| !client.is_disabled() && client.may_use(DeviceFlow::GRANT_TYPE);
        let client = client.filter(may_use).ok_or(DeviceError::UnknownCode)?;
        Ok(DevicePending {
            server: self.clone(),
            client,
            ticket: DeviceTicket::new(id, user_code, &login, shown_at, device.expires_at),
            login,
            browser: browser.hash(),
            scope: grant.scope.clone(),
            resources: grant.resources.clone(),
            requested_from: device.requested_from.clone(),
        })
    }

    async fn decide_device<S: Step<Outcome = ()>>(
        &self,
        ticket: &DeviceTicket,
        step: &S,
    ) -> Result<(), ShowError> {
        let kind = match self.advance(ticket.grant, step, self.now()).await {
            Ok(_) => return Ok(()),
            Err(error) => match error.refusal() {
                None => return Err(error.into()),
                Some(Refusal::AlreadyDecided) => ShowKind::AlreadyAnswered,
                Some(_) => ShowKind::Expired,
            },
        };
        Err(ShowError::new(kind, "the device does not wait for an answer any more"))
    }
}
