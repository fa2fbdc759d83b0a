//! A device asks, its owner decides in a browser elsewhere, the device fetches the tokens (RFC 8628).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Authentication, Details, Grant, Plan, Redeem, Refusal, State};
use crate::clock::Timestamp;
use crate::scope::Scope;
use crate::secret::Digest;

/// The most seconds between polls that a device is slowed down to.
pub const MAX_INTERVAL: u32 = 60;

/// How many seconds each `slow_down` adds (RFC 8628 §3.5).
const SLOWER_BY: u32 = 5;

/// The device code of a grant, and how often the device may ask. The user code is in the grant's id, by a keyed hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// The digest of the device code.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// From when on both codes are refused, unless the device code has been redeemed.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
    /// How many seconds the device must leave between polls.
    #[serde(rename = "n")]
    pub interval: u32,
    /// The address that asked, for the person who decides.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub requested_from: Option<Arc<str>>,
    /// When it was redeemed.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub redeemed_at: Option<Timestamp>,
}

/// Who lets a device in, and to what.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The resource owner.
    pub subject: Arc<str>,
    /// Their session at the host.
    pub session: Option<Arc<str>>,
    /// When and how they authenticated.
    pub authentication: Authentication,
    /// What the host wants to find again.
    pub host_data: Option<Arc<str>>,
    /// The allowed part of what was asked for; without it, all.
    pub scope: Option<Scope>,
}

impl Grant {
    /// The device code, of a grant that began with one.
    pub fn device(&self) -> Option<&Device> {
        self.details.as_deref()?.device.as_deref()
    }

    /// Lets the device in. The same answer twice is one.
    ///
    /// # Errors
    ///
    /// [`Refusal::ExpiredToken`] when the codes have expired, [`Refusal::AlreadyDecided`] after another answer or once the
    /// device has its tokens, [`Refusal::Revoked`] when the grant has ended.
    pub fn approve_device(&self, approval: &Approval, now: Timestamp) -> Result<Plan<()>, Refusal> {
        self.undecided(now, |grant| {
            let scope = approval.scope.as_ref().unwrap_or(&grant.scope);
            grant.state == State::Approved
                && grant.subject.as_deref() == Some(&*approval.subject)
                && grant.session == approval.session
                && *scope == grant.scope
        })
        .map(|open| match open {
            false => Plan::Answer(()),
            true => Plan::Write(self.approved_by(approval, now), ()),
        })
    }

    /// Turns the device away. Twice is once.
    ///
    /// # Errors
    ///
    /// As [`Grant::approve_device`].
    pub fn deny_device(&self, now: Timestamp) -> Result<Plan<()>, Refusal> {
        self.undecided(now, |grant| grant.state == State::Denied).map(|open| match open {
            false => Plan::Answer(()),
            true => Plan::Write(self.with_state(State::Denied), ()),
        })
    }

    /// Raises the interval of a device that polled too early. `seen` is the interval that it was judged by: of many polls at
    /// once, one raises it.
    pub fn slow_down(&self, seen: u32) -> Plan<()> {
        match (&self.state, self.device()) {
            (State::Requested, Some(device)) if device.interval == seen && seen < MAX_INTERVAL => {
                let interval = (seen + SLOWER_BY).min(MAX_INTERVAL);
                Plan::Write(self.with_device(Device { interval, ..device.clone() }), ())
            }
            _ => Plan::Answer(()),
        }
    }

    /// Whether the question is still open; `false` where the very answer has been given before.
    fn undecided(&self, now: Timestamp, same: impl FnOnce(&Self) -> bool) -> Result<bool, Refusal> {
        let device = self.device().ok_or(Refusal::UnknownToken)?;
        match &self.state {
            State::Requested if now >= device.expires_at => Err(Refusal::ExpiredToken),
            State::Requested => Ok(true),
            State::Revoked { .. } => Err(Refusal::Revoked),
            _ if same(self) => Ok(false),
            _ => Err(Refusal::AlreadyDecided),
        }
    }

    /// It begins with the approval: a fence that was raised between the request and the approval is not about it.
    fn approved_by(&self, approval: &Approval, now: Timestamp) -> Self {
        let details = Details {
            host_data: approval.host_data.clone(),
            ..self.details.as_deref().cloned().unwrap_or_default()
        };
        Self {
            subject: Some(approval.subject.clone()),
            session: approval.session.clone(),
            authentication: Some(approval.authentication.clone()),
            scope: approval.scope.as_ref().unwrap_or(&self.scope).clone(),
            created_at: now,
            state: State::Approved,
            details: Some(Box::new(details)),
            ..self.clone()
        }
    }

    /// Checks a device code against its grant: issuer, client, digest, and then what was decided. The answer is when it was
    /// redeemed before.
    pub(super) fn checked_device(
        &self,
        request: &Redeem<'_>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refusal> {
        if *self.issuer != *request.issuer {
            return Err(Refusal::Mismatch);
        }
        if *self.client_id != *request.client_id {
            return Err(Refusal::WrongClient);
        }
        let device = self.device().ok_or(Refusal::UnknownToken)?;
        if device.digest != request.handle.digest() {
            return Err(Refusal::UnknownToken);
        }
        match self.state {
            State::Denied => Err(Refusal::DeviceDenied),
            State::Requested | State::Approved if now >= device.expires_at => Err(Refusal::ExpiredToken),
            State::Requested => Err(Refusal::AuthorizationPending { interval: device.interval }),
            _ => Ok(device.redeemed_at),
        }
    }

    /// The same grant with another device.
    pub(super) fn with_device(&self, device: Device) -> Self {
        let details = self.details.as_deref().cloned().unwrap_or_default();
        let details = Details { device: Some(Box::new(device)), ..details };
        Self { details: Some(Box::new(details)), ..self.clone() }
    }
}
