//! What runs on the server: each on one key, on a single server a swap also on the sets that index it.

use redis::{Cmd, Script};

pub(crate) const BEFORE: &str = include_str!("before.lua");
pub(crate) const SWAP: &str = include_str!("swap.lua");
pub(crate) const PURGE: &str = include_str!("purge.lua");
pub(crate) const RENAME: &str = include_str!("rename.lua");

/// A script with its digest.
pub(crate) struct Code {
    text: String,
    digest: String,
}

impl Code {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let digest = Script::new(&text).get_hash().to_owned();
        Self { text, digest }
    }

    /// A call by digest; the server may not know it.
    pub(crate) fn call(&self, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
        invoke("EVALSHA", &self.digest, keys, arguments)
    }

    /// The same call with the text, from which the server learns it.
    pub(crate) fn call_in_full(&self, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
        invoke("EVAL", &self.text, keys, arguments)
    }
}

fn invoke(command: &str, script: &str, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
    let length =
        keys.iter().map(Vec::len).chain(arguments.iter().map(|argument| argument.len())).sum::<usize>();
    let mut call =
        Cmd::with_capacity(3 + keys.len() + arguments.len(), command.len() + script.len() + 8 + length);
    call.arg(command).arg(script).arg(keys.len()).arg(keys);
    for argument in arguments {
        call.arg(*argument);
    }
    call
}

/// The scripts of a store.
pub(crate) struct Scripts {
    pub(crate) swap: Code,
    pub(crate) purge: Code,
    pub(crate) rename: Code,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            swap: Code::new([BEFORE, SWAP].concat()),
            purge: Code::new([BEFORE, PURGE].concat()),
            rename: Code::new(RENAME),
        }
    }
}
