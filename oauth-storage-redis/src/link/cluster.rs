//! A Redis Cluster, over one connection to each of its nodes.

use futures_util::future::join_all;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr,
};
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::time::{Instant, timeout_at};

use super::{Answers, Step, after_a_lost_delivery, each, only};
use crate::failure::Failure;

/// The driver follows the cluster's redirections and delivers again what a broken connection has lost. Therefore nobody
/// knows of a failed command whether an earlier delivery has been executed: each failure is taken for a lost answer.
pub(crate) struct Cluster(ClusterConnection);

impl Cluster {
    pub(crate) fn new(connection: ClusterConnection) -> Self {
        Self(connection)
    }

    /// Each command to its own node, all at once.
    pub(crate) async fn send(&self, steps: Vec<Step>, deadline: Instant) -> Answers {
        let each = steps.into_iter().map(|step| async move {
            let mut pipeline = Pipeline::with_capacity(1);
            pipeline.add_command(step.command);
            only(self.send_to(&step.key, pipeline, deadline).await?)
        });
        join_all(each).await
    }

    /// Commands on one key.
    pub(crate) async fn send_to(
        &self,
        key: &[u8],
        pipeline: Pipeline,
        deadline: Instant,
    ) -> Result<Answers, Failure> {
        let count = pipeline.len();
        // Never to a replica, also where the host's client reads from them.
        let route = Route::with_slot(Slot::for_key(key), SlotAddr::Master);
        let mut connection = self.0.clone();
        let sent = connection.route_pipeline(pipeline, 0, count, SingleNodeRoutingInfo::SpecificNode(route));
        let values = timeout_at(deadline, sent)
            .await
            .map_err(|elapsed| Failure::Lost(elapsed.into()))?
            .map_err(|error| Failure::Lost(error.into()))?;
        Ok(after_a_lost_delivery(each(values)))
    }

    /// A question to each primary; the answers with the addresses.
    pub(crate) async fn ask_primaries(&self, question: Cmd) -> RedisResult<Value> {
        let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        self.0.clone().route_command(question, all).await
    }
}
