//! The table at the end of a run, from the estimates that criterion leaves on disk.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The median of one benchmark with its 95 % confidence interval, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// Point estimate.
    pub median: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// What criterion wrote last for a benchmark; `None` when it did not run.
pub fn estimate(home: &Path, group: &str, name: &str) -> Option<Estimate> {
    let text = fs::read_to_string(home.join(group).join(name).join("new/estimates.json")).ok()?;
    let median = serde_json::from_str::<Value>(&text).ok()?.get("median")?.clone();
    let interval = median.get("confidence_interval")?;
    Some(Estimate {
        median: median.get("point_estimate")?.as_f64()?,
        low: interval.get("lower_bound")?.as_f64()?,
        high: interval.get("upper_bound")?.as_f64()?,
    })
}

/// One line a path: each contender's median in microseconds, and the ratios of `ours` to the others.
pub fn table(home: &Path, groups: &[String], names: &[&str], ours: &str) -> String {
    let mut lines = vec![format!("{:<28}", "median, µs")];
    for name in names {
        lines[0] += &format!("{name:>22}");
    }
    for name in names.iter().filter(|name| **name != ours) {
        lines[0] += &format!("{:>18}", format!("ours/{name}"));
    }
    for group in groups {
        let mut line = format!("{group:<28}");
        for name in names {
            line += &match estimate(home, group, name) {
                Some(Estimate { median, low, high }) => {
                    format!("{:>22}", format!("{:.2} [{:.2} {:.2}]", median / 1e3, low / 1e3, high / 1e3))
                }
                None => format!("{:>22}", "–"),
            };
        }
        let own = estimate(home, group, ours);
        for name in names.iter().filter(|name| **name != ours) {
            line += &match (own, estimate(home, group, name)) {
                (Some(own), Some(other)) => format!("{:>18.2}", own.median / other.median),
                _ => format!("{:>18}", "–"),
            };
        }
        lines.push(line);
    }
    lines.join("\n")
}
