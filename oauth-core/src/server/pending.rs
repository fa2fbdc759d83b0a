//! A request that waits for the person's answer, and the answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::advance::is_too_large;
use super::{Answer, Concerned, ConsentPolicy, Inserted, Server};
use crate::audit::EventKind;
use crate::authorize::{
    AuthorizeError, BrowserCookie, Login, RESUME_PARAM, Request, ShowError, ShowKind, Ticket,
};
use crate::client::{Client, Origin};
use crate::error::{Error, ErrorCode};
use crate::grant::{Code, Details, Grant, Resources, State};
use crate::handle::{Kind, ResumeClaims};
use crate::scope::Scope;
use crate::secret::Digest;
use crate::storage::Key;

/// How far the clocks of replicas may differ before a record is deleted too early.
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// A question for the person who is signed in: may this client have this?
///
/// Show it, with [`Pending::ticket`] in the form; the form's POST goes to [`Server::resume_pending`].
pub struct Pending {
    server: Arc<Server>,
    client: Arc<Client>,
    request: Request,
    login: Login,
    ticket: Ticket,
    browser: [u8; 32],
    resume: Option<ResumeClaims>,
    new: Scope,
}

/// An answer that is proven to come from the page, browser and sign-in that were asked. Made by
/// [`Server::resume_pending`] only.
#[derive(Debug)]
#[must_use = "accept or deny"]
pub struct Decision {
    pending: Pending,
}

impl Pending {
    #[expect(clippy::too_many_arguments, reason = "the one constructor, called from two places")]
    pub(super) fn new(
        server: Arc<Server>,
        client: Arc<Client>,
        request: Request,
        login: Login,
        ticket: Ticket,
        browser: &BrowserCookie,
        resume: Option<ResumeClaims>,
        new: Scope,
    ) -> Self {
        Self { server, client, request, login, ticket, browser: browser.hash(), resume, new }
    }

    /// The server that asks; it knows the words for scopes.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The client that asks.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// All that is asked for.
    pub fn scope(&self) -> &Scope {
        self.request.scope()
    }

    /// What of it the person has not allowed this client before.
    pub fn new_scope(&self) -> &Scope {
        &self.new
    }

    /// The resources that it is asked for.
    pub fn resources(&self) -> &Resources {
        self.request.resources()
    }

    /// Who will receive the answer: a host, or a custom scheme.
    pub fn redirect_host(&self) -> &str {
        self.request.registered_uri().display_host()
    }

    /// The host that vouches for the client, where its id is the URL of a metadata document. A page shows it: the name is the
    /// client's own word.
    pub fn client_host(&self) -> Option<&str> {
        match self.client.origin() {
            Origin::Document { .. } => {
                let (_, rest) = self.client.id().split_once("://")?;
                rest.split(['/', '?']).next()
            }
            _ => None,
        }
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

    /// The query with which a page at another path can call [`Server::pending`].
    pub fn query(&self) -> String {
        let query = &self.ticket.query;
        match &self.resume {
            None => query.clone(),
            Some(claims) => {
                let token = self.server.handles().seal_resume(claims, &self.browser);
                format!("{query}&{RESUME_PARAM}={token}")
            }
        }
    }
}

/// Shows who asks whom for what; the ticket stays hidden.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("client_id", &self.client.id())
            .field("subject", &self.login.subject)
            .field("scope", self.scope())
            .finish_non_exhaustive()
    }
}

impl Decision {
    pub(super) fn new(pending: Pending) -> Self {
        Self { pending }
    }

    /// What was asked. It does not say any more what was new.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// The person agrees: to all, or to the part in `scope`. The same page answered again gives the same answer, as long as
    /// its code has not been redeemed.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError::Show`] where the page has been answered before, `scope` is not a part of what was asked, or the store
    /// fails; [`AuthorizeError::Redirect`] where everything of the subject, client or session was revoked meanwhile.
    pub async fn accept(self, scope: Option<Scope>) -> Result<Answer, AuthorizeError> {
        let Pending { server, client, request, login, ticket, .. } = self.pending;
        if let Some(part) = &scope
            && (!part.is_subset_of(request.scope()) || (part.is_empty() && !request.scope().is_empty()))
        {
            let why = "the accepted scope is empty, or not a part of the requested one";
            return Err(ShowError::new(ShowKind::Malformed, why).for_client(client.id()).into());
        }
        let answer = server.approve(&client, &request, &login, &ticket, scope.as_ref(), true).await?;
        if let ConsentPolicy::Remember(keep) = server.config.consent
            && !client.is_first_party()
            && request.may_remember(&client)
        {
            let scope = scope.as_ref().unwrap_or(request.scope());
            let remembered = server.remember(&client, &login.subject, scope, request.resources(), keep).await;
            // The grant is stored: to be asked again next time is better than an error now.
            if let Err(error) = remembered {
                tracing::warn!(client_id = client.id(), reason = error.reason(), "consent_not_remembered");
            }
        }
        Ok(answer)
    }

    /// The person refuses. Nothing is written.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError::Show`] where the page has been answered before, or the store fails.
    pub async fn deny(self) -> Result<Answer, AuthorizeError> {
        let Pending { server, client, request, login, ticket, .. } = self.pending;
        if server.load_grant(&Key::grant(ticket.grant)).await?.is_some() {
            return Err(already_answered(&request));
        }
        let (client_id, subject) = (Some(client.id()), Some(&*login.subject));
        server.tell(Concerned { client_id, subject, grant_id: Some(ticket.grant) }, EventKind::Denied);
        let error = request.refuse(ErrorCode::AccessDenied, "the resource owner denied the request");
        Ok(Answer { location: error.location(server.issuer().as_str()) })
    }
}

impl Server {
    /// Stores the grant and answers with its code. `asked` says whether the resource owner has just said yes.
    pub(super) async fn approve(
        &self,
        client: &Client,
        request: &Request,
        login: &Login,
        ticket: &Ticket,
        scope: Option<&Scope>,
        asked: bool,
    ) -> Result<Answer, AuthorizeError> {
        let expired = || ShowError::new(ShowKind::Expired, "the ticket's key is not in the ring any more");
        let handles = self.handles();
        let secret =
            handles.derive_code_with(ticket.key, ticket.nonce.expose(), ticket.grant).ok_or_else(expired)?;
        let code = handles.mint_with(ticket.key, Kind::Code, ticket.grant, 0, secret).ok_or_else(expired)?;
        let digest = code.digest();
        let grant = self.approved(client, request, login, ticket, scope, digest);
        if is_too_large(&grant) {
            return Err(Error::new(ErrorCode::ServerError, "the grant is too large")
                .because(
                    "the approved grant would exceed the size of a record; is the host's data too large?",
                )
                .into());
        }
        let again = match self.insert_grant(self.new_grant(ticket.grant, grant, None)).await? {
            Inserted::New => false,
            Inserted::Exists(record) => {
                let same = record.grant().is_some_and(|grant| {
                    let code = grant.code.as_deref().filter(|code| code.digest == digest);
                    grant.state == State::Approved && code.is_some_and(|code| self.now() < code.expires_at)
                });
                if !same {
                    return Err(already_answered(request));
                }
                true
            }
            Inserted::Fenced => {
                let why = "access was revoked while the request was being answered";
                return Err(request.refuse(ErrorCode::AccessDenied, why).into());
            }
        };
        if self.is_heard() {
            let (client_id, subject) = (Some(client.id()), Some(&*login.subject));
            let concerned = Concerned { client_id, subject, grant_id: Some(ticket.grant) };
            let scope = scope.unwrap_or(request.scope());
            if asked {
                self.tell(concerned, EventKind::Approved { scope });
            }
            self.tell(concerned, EventKind::CodeIssued { scope, again });
        }
        // Boxed, so that the common future has no room for it.
        match client.origin() {
            Origin::Document { .. } => Box::pin(self.keep_document(client.id())).await,
            Origin::Registration(_) => Box::pin(self.note_use(client, self.now())).await,
            Origin::Host => {}
        }
        Ok(Answer { location: request.success(&handles.write(&code), self.issuer().as_str()) })
    }

    fn approved(
        &self,
        client: &Client,
        request: &Request,
        login: &Login,
        ticket: &Ticket,
        scope: Option<&Scope>,
        digest: Digest,
    ) -> Grant {
        let now = self.now();
        let expires_at = now + client.lifetimes().code.unwrap_or(self.config.code_lifetime);
        // As long as the page could be answered again, the record says that it has been.
        let retain_until = expires_at.max(ticket.expires_at) + CLOCK_SKEW;
        let details = (request.nonce().is_some() || login.host_data.is_some()).then(|| {
            let (nonce, host_data) = (request.nonce().cloned(), login.host_data.clone());
            Box::new(Details { nonce, host_data, ..Details::default() })
        });
        Grant {
            issuer: self.issuer_text.clone(),
            client_id: client.shared_id(),
            subject: Some(login.subject.clone()),
            session: login.session.clone(),
            scope: scope.unwrap_or(request.scope()).clone(),
            resources: request.resources().clone(),
            created_at: now,
            expires_at: retain_until,
            generation: 0,
            state: State::Approved,
            code: Some(Box::new(Code {
                digest,
                expires_at,
                retain_until,
                challenge: request.challenge().copied(),
                redirect_uri: request.registered_uri().hash_of(request.redirect_uri()),
                registered_uri: request.registered_uri().hash(),
                redeemed_at: None,
            })),
            authentication: Some(login.authentication()),
            details,
        }
    }
}

fn already_answered(request: &Request) -> AuthorizeError {
    let why = "the page has been answered before";
    ShowError::new(ShowKind::AlreadyAnswered, why).for_client(request.client_id()).into()
}
