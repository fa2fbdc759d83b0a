//! What a server says of itself (`INFO`, since managed services forbid `CONFIG`), and what makes it unfit.

use redis::Value;

use crate::builder::StartError;

/// The first release with all that the store asks of a server.
const OLDEST: (u32, u32) = (6, 2);

/// What `INFO` says under a name.
pub(crate) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Refuses a server that would break the contract, and warns of one that forgets.
pub(crate) fn check(server: &str, info: &str) -> Result<(), StartError> {
    let server_of = || server.to_owned();
    if let Some(version) = field(info, "redis_version").filter(|version| is_too_old(version)) {
        return Err(StartError::TooOld { server: server_of(), version: version.to_owned() });
    }
    // Evicted keys would make used codes usable and revoked grants live.
    let policy = field(info, "maxmemory_policy").unwrap_or("unknown");
    let unbounded = field(info, "maxmemory") == Some("0");
    if !unbounded && policy != "noeviction" {
        return Err(StartError::Evicting { server: server_of(), policy: policy.to_owned() });
    }
    if field(info, "aof_enabled") != Some("1") {
        tracing::warn!(server, "Redis keeps no append-only file: a restart forgets what was answered");
    }
    Ok(())
}

pub(crate) fn is_cluster(info: &str) -> bool {
    field(info, "cluster_enabled") == Some("1")
}

/// A replica answers reads from the past.
pub(crate) fn is_replica(info: &str) -> bool {
    field(info, "role") == Some("slave")
}

/// What cannot be read is given the benefit of the doubt.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST,
        _ => false,
    }
}

/// The texts that the primaries of a cluster answered, by address.
pub(crate) fn by_server(answer: Value) -> Option<Vec<(String, String)>> {
    let Value::Map(pairs) = answer else { return None };
    pairs.into_iter().map(|(server, info)| Some((text(server)?, text(info)?))).collect()
}

pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_evict_is_refused() {
        let info = |limit, policy| format!("# Memory\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n");
        for (limit, policy) in [("0", "noeviction"), ("100", "noeviction"), ("0", "allkeys-lru")] {
            assert!(check("a", &info(limit, policy)).is_ok(), "{limit} {policy}");
        }
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-ttl", "volatile-lru", "new"]
        {
            let refused = check("a", &info("100", policy)).unwrap_err();
            assert!(refused.to_string().contains(policy), "{refused}");
        }
        assert!(check("a", "# Memory\r\n").is_err(), "what is not known is not taken for harmless");
    }

    #[test]
    fn an_old_release_is_refused() {
        let check = |version: &str| check("a", &format!("redis_version:{version}\r\nmaxmemory:0\r\n"));
        for version in ["6.2.0", "7.0.15", "7.2.4", "10.0.1", "unstable", ""] {
            assert!(check(version).is_ok(), "{version}");
        }
        for version in ["6.0.16", "5.0.14", "2.8.4"] {
            assert!(matches!(check(version), Err(StartError::TooOld { .. })), "{version}");
        }
    }
}
