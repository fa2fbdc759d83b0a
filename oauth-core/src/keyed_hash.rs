//! Keyed BLAKE3 of messages that fill one block: nearly all that is hashed on the way of a request.
//!
//! A block is hashed as the root over two chaining values, which are its halves: one call of the keyed compression function, as a
//! message of 64 bytes takes, without the state that longer messages need. No key is used in any other way.

use blake3::hazmat::{Mode, merge_subtrees_root_xof};

/// The first 64 bytes of the extended output for a block: as many as one call gives.
pub(crate) fn keyed_output(key: &[u8; 32], block: &[u8; 64]) -> [[u8; 32]; 2] {
    let [left, right] = halves(block);
    let mut output = [[0; 32]; 2];
    merge_subtrees_root_xof(left, right, Mode::KeyedHash(key)).fill(output.as_flattened_mut());
    output
}

fn halves(block: &[u8; 64]) -> [&[u8; 32]; 2] {
    let (left, right) = block.split_at(32);
    [left, right].map(|half| half.try_into().expect("half of a block"))
}
