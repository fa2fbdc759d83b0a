//! Keyed BLAKE3 of messages that fill one block: nearly all that is hashed on the way of a request.

/// The keyed hash of a block.
pub(crate) fn keyed_hash(key: &[u8; 32], block: &[u8; 64]) -> [u8; 32] {
    blake3::keyed_hash(key, block).into()
}

/// The first 64 bytes of the extended output for a block, of which the first half is the hash.
pub(crate) fn keyed_output(key: &[u8; 32], block: &[u8; 64]) -> [[u8; 32]; 2] {
    let mut output = [[0; 32]; 2];
    let mut reader = blake3::Hasher::new_keyed(key).update(block).finalize_xof();
    output.iter_mut().for_each(|half| reader.fill(half));
    output
}
