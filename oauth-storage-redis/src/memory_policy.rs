//! A server that forgets keys when its memory is full would make used codes usable and revoked grants live.

use redis::Value;

use crate::builder::StartError;

/// What `INFO` says under a name.
pub(crate) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Refuses a server that may evict. `INFO` is asked, since managed services forbid `CONFIG`.
pub(crate) fn check(server: &str, memory: &str) -> Result<(), StartError> {
    let policy = field(memory, "maxmemory_policy").unwrap_or("unknown");
    let unbounded = field(memory, "maxmemory") == Some("0");
    if unbounded || policy == "noeviction" {
        return Ok(());
    }
    Err(StartError::Evicting { server: server.to_owned(), policy: policy.to_owned() })
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
}
