//! Waiting for replicas.

use std::time::Duration;

use redis::{Cmd, Value};

use super::Answers;
use crate::failure::Failure;

/// How many replicas must have a write before it is answered, and how long that may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) replicas: usize,
    pub(crate) timeout: Duration,
}

impl Wait {
    pub(crate) fn command(self) -> Cmd {
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.replicas).arg(u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX));
        wait
    }

    /// Takes the last answer, which is the number of replicas.
    pub(crate) fn check(self, answers: &mut Answers) -> Result<(), Failure> {
        let reached = match answers.pop() {
            Some(Ok(Value::Int(reached))) => usize::try_from(reached).unwrap_or(0),
            Some(Err(failure)) => return Err(failure.after_a_lost_delivery()),
            _ => 0,
        };
        if reached < self.replicas {
            let missing = format!("{reached} of {} replicas have the write", self.replicas);
            return Err(Failure::Lost(missing.into()));
        }
        Ok(())
    }
}
