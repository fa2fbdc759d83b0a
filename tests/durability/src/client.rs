//! A client that remembers every answer, and holds the server to it.
//!
//! One request of a grant is under way at a time, so after each answer it is known what must be stored: an answered write has
//! happened, for good; one without an answer has happened or not, and asking again makes it clear.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

use crate::protocol::{Answer, Request};
use crate::replica::Replica;

/// Where a grant stands by the answers.
#[derive(Clone, Debug)]
enum Stage {
    /// A code was given.
    Approved,
    /// Tokens were given; with the refresh tokens that were used before.
    Live { access: String, refresh: String, used: Vec<String> },
    /// A revocation was answered.
    Revoked { access: String, refresh: String },
    /// Nothing of it can work: a code whose redemption was not answered and that was tried again.
    Over,
}

#[derive(Clone, Debug)]
struct Grant {
    code: String,
    stage: Stage,
    /// The request that was not answered.
    in_doubt: Option<Request>,
}

/// What a client has seen.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Answers that changed something.
    pub acknowledged: usize,
    /// Requests without an answer, or that failed.
    pub in_doubt: usize,
    /// Broken promises.
    pub violations: Vec<String>,
}

impl Report {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.in_doubt += other.in_doubt;
        self.violations.extend(other.violations);
    }
}

/// One client with its grants.
#[derive(Debug)]
pub struct Client {
    name: String,
    random: StdRng,
    grants: Vec<Grant>,
    report: Report,
}

impl Client {
    /// A client without grants. The name tells its subjects from those of others.
    pub fn new(name: impl Into<String>, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { name: name.into(), random, grants: Vec::new(), report: Report::default() }
    }

    /// What it has seen since it was last asked.
    pub fn report(&mut self) -> Report {
        std::mem::take(&mut self.report)
    }

    /// Works until the server dies, or the number of requests is over. What was in doubt is cleared up first.
    pub async fn work(&mut self, server: &Replica, requests: usize) {
        for place in 0..self.grants.len() {
            if self.grants[place].in_doubt.is_some() && !self.step(server, place).await {
                return;
            }
        }
        for _ in 0..requests {
            let fresh = self.grants.is_empty() || self.random.random_ratio(1, 4);
            let alive = if fresh {
                self.approve(server).await
            } else {
                // Those that are young are asked more often.
                let back = self.random.random_range(0..self.grants.len().min(12));
                self.step(server, self.grants.len() - 1 - back).await
            };
            if !alive {
                return;
            }
        }
    }

    /// Looks at every grant once more, and tries what must not work again. Afterwards nothing of them works.
    pub async fn settle(&mut self, server: &Replica) {
        for place in 0..self.grants.len() {
            while self.grants[place].in_doubt.is_some() {
                if !self.step(server, place).await {
                    self.report.violations.push("the server died while nobody harmed it".to_owned());
                    return;
                }
            }
            let Grant { code, stage, .. } = self.grants[place].clone();
            let (access, refresh) = match stage {
                Stage::Approved => {
                    self.must(server, Request::Redeem(code), true, "a code that was given works").await;
                    continue;
                }
                Stage::Live { access, refresh, used } => {
                    self.must(server, Request::Verify(access.clone()), true, "an answered token works").await;
                    match used.first() {
                        Some(first) if used.len() > 1 => {
                            let reused = Request::Refresh(first.clone());
                            self.must(server, reused, false, "a used refresh token stays used").await;
                        }
                        _ => {
                            let replay = Request::Redeem(code.clone());
                            self.must(server, replay, false, "a redeemed code stays redeemed").await;
                        }
                    }
                    (access, refresh)
                }
                Stage::Revoked { access, refresh } => (access, refresh),
                Stage::Over => continue,
            };
            self.must(server, Request::Verify(access), false, "a revoked grant's access token is refused")
                .await;
            self.must(server, Request::Refresh(refresh), false, "a revoked grant's refresh token is refused")
                .await;
            self.must(server, Request::Redeem(code), false, "a revoked grant's code is refused").await;
        }
    }

    async fn must(&mut self, server: &Replica, request: Request, works: bool, promise: &str) {
        let answer = server.call(&request).await;
        let kept = match &answer {
            Some(Answer::Done(_)) => works,
            Some(Answer::Refused) => !works,
            _ => false,
        };
        if !kept {
            self.report.violations.push(format!("{promise}: {request:?} was answered with {answer:?}"));
        }
    }

    async fn approve(&mut self, server: &Replica) -> bool {
        let subject = format!("{}-{}", self.name, self.grants.len());
        match server.call(&Request::Approve(subject)).await {
            Some(Answer::Done(words)) => {
                self.report.acknowledged += 1;
                let code = words.into_iter().next().expect("a code");
                self.grants.push(Grant { code, stage: Stage::Approved, in_doubt: None });
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    /// One more request of a grant, or again the one that was not answered. `false` when the server is dead.
    async fn step(&mut self, server: &Replica, place: usize) -> bool {
        let doubted = self.grants[place].in_doubt.clone();
        let again = doubted.is_some();
        let request = doubted.unwrap_or_else(|| self.choose(place));
        let answer = server.call(&request).await;
        let Report { acknowledged, in_doubt, violations } = &mut self.report;
        let grant = &mut self.grants[place];
        let alive = answer.is_some();
        grant.in_doubt = None;
        match (&grant.stage, &request, answer) {
            (_, Request::Verify(_), None | Some(Answer::Failed(_))) => *in_doubt += 1,
            (_, _, None | Some(Answer::Failed(_))) => {
                *in_doubt += 1;
                grant.in_doubt = Some(request);
            }
            (Stage::Approved, Request::Redeem(_), Some(Answer::Done(words))) => {
                *acknowledged += 1;
                let [access, refresh] = <[String; 2]>::try_from(words).expect("two tokens");
                grant.stage = Stage::Live { access, refresh, used: Vec::new() };
            }
            // It was redeemed, and this was a replay: RFC 6749 §4.1.2 ends the grant.
            (Stage::Approved, Request::Redeem(_), Some(Answer::Refused)) if again => {
                grant.stage = Stage::Over
            }
            (Stage::Live { refresh, used, .. }, Request::Refresh(_), Some(Answer::Done(words))) => {
                *acknowledged += 1;
                let used = [&used[..], std::slice::from_ref(refresh)].concat();
                let [access, refresh] = <[String; 2]>::try_from(words).expect("two tokens");
                grant.stage = Stage::Live { access, refresh, used };
            }
            (Stage::Live { access, refresh, .. }, Request::Revoke(_), Some(Answer::Done(_))) => {
                *acknowledged += 1;
                grant.stage = Stage::Revoked { access: access.clone(), refresh: refresh.clone() };
            }
            (Stage::Live { .. }, Request::Verify(_), Some(Answer::Done(_))) => {}
            (Stage::Revoked { .. } | Stage::Over, _, Some(Answer::Refused)) => {}
            (stage, request, Some(answer)) => {
                violations.push(format!("{request:?} was answered with {answer:?} in {stage:?}"));
                // One broken promise is enough of a grant.
                grant.stage = Stage::Over;
            }
        }
        alive
    }

    fn choose(&mut self, place: usize) -> Request {
        let dice = self.random.random_range(0..10);
        let grant = &self.grants[place];
        match &grant.stage {
            Stage::Approved | Stage::Over => Request::Redeem(grant.code.clone()),
            Stage::Live { refresh, .. } if dice < 6 => Request::Refresh(refresh.clone()),
            Stage::Live { refresh, .. } if dice < 7 => Request::Revoke(refresh.clone()),
            Stage::Live { access, .. } => Request::Verify(access.clone()),
            Stage::Revoked { access, .. } if dice < 5 => Request::Verify(access.clone()),
            Stage::Revoked { refresh, .. } => Request::Refresh(refresh.clone()),
        }
    }
}
