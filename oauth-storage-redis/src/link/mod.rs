//! Sends commands to the server that holds their key, and bounds the wait.

mod cluster;
mod single;
mod wait;

use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

pub(crate) use cluster::Cluster;
use single::Request;
pub(crate) use single::Single;
pub(crate) use wait::Wait;

use crate::failure::Failure;
use crate::scripts::Code;

/// Each command's own answer.
pub(crate) type Answers = Vec<Result<Value, Failure>>;

/// A command and the key that it is about.
pub(crate) struct Step {
    pub(crate) key: Vec<u8>,
    pub(crate) command: Cmd,
}

pub(crate) enum Link {
    Single(Box<Single>),
    Cluster(Cluster),
}

impl Link {
    /// Commands in any order; on a single server in the given one. All are sent at once.
    pub(crate) async fn send(&self, steps: Vec<Step>, deadline: Instant) -> Result<Answers, Failure> {
        match self {
            _ if steps.is_empty() => Ok(Vec::new()),
            Self::Single(single) => {
                let mut pipeline = Pipeline::with_capacity(steps.len());
                for step in steps {
                    pipeline.add_command(step.command);
                }
                single.send(Request::InOrder(&pipeline), deadline).await
            }
            Self::Cluster(cluster) => Ok(cluster.send(steps, deadline).await),
        }
    }

    /// Commands on one key, in the given order.
    pub(crate) async fn send_in_order(
        &self,
        key: &[u8],
        commands: Vec<Cmd>,
        deadline: Instant,
    ) -> Result<Answers, Failure> {
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command(command);
        }
        match self {
            _ if pipeline.is_empty() => Ok(Vec::new()),
            Self::Single(single) => single.send(Request::InOrder(&pipeline), deadline).await,
            Self::Cluster(cluster) => cluster.send_to(key, pipeline, deadline).await,
        }
    }

    /// One command.
    pub(crate) async fn ask(&self, key: &[u8], command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        only(match self {
            Self::Single(single) => single.send(Request::One(command), deadline).await?,
            // Boxed, so that the common future has no room for it.
            Self::Cluster(cluster) => {
                let mut pipeline = Pipeline::with_capacity(1);
                pipeline.add_command(command.clone());
                Box::pin(cluster.send_to(key, pipeline, deadline)).await?
            }
        })
    }
}

/// Calls of a script on several keys; whoever does not know it is told.
pub(crate) async fn call_each(
    link: &Link,
    code: &Code,
    calls: &[(Vec<u8>, Vec<Vec<u8>>)],
    deadline: Instant,
) -> Result<Vec<Value>, Failure> {
    let step = |(key, arguments): &(Vec<u8>, Vec<Vec<u8>>), in_full: bool| {
        let keys = std::slice::from_ref(key);
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        let command = if in_full { code.call_in_full(keys, &arguments) } else { code.call(keys, &arguments) };
        Step { key: key.clone(), command }
    };
    let answers = link.send(calls.iter().map(|each| step(each, false)).collect(), deadline).await?;
    let mut values = Vec::with_capacity(calls.len());
    for (each, answer) in calls.iter().zip(answers) {
        values.push(match answer {
            Err(failure) if failure.is_unknown_script() => {
                let step = step(each, true);
                link.ask(&step.key, &step.command, deadline).await?
            }
            answer => answer?,
        });
    }
    Ok(values)
}

/// The answer to a single command.
fn only(answers: Answers) -> Result<Value, Failure> {
    answers.into_iter().next().unwrap_or_else(|| Err(Failure::Lost("Redis gave no answer".into())))
}

fn each(values: impl IntoIterator<Item = Value>) -> Answers {
    values.into_iter().map(|value| value.extract_error().map_err(Failure::Refused)).collect()
}

/// What refusals mean when the same may have been executed before.
fn after_a_lost_delivery(answers: Answers) -> Answers {
    answers.into_iter().map(|answer| answer.map_err(Failure::after_a_lost_delivery)).collect()
}
