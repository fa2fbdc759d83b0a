//! Keyed BLAKE3 of messages that fill one block.
//!
//! Nearly all that is hashed on the way of a request fits into one block of 64 bytes. The crate `blake3` is made for long
//! messages: choosing an implementation and buffering cost it half as much again as the compression of one block. So that is
//! done here, as the specification says (BLAKE3 §2.2), and the tests compare with the crate. Additions, rotations and XOR
//! only: the time it takes tells nothing.

/// `CHUNK_START`, `CHUNK_END`, `ROOT` and `KEYED_HASH`: a message of one block.
const FLAGS: u32 = 1 | 2 | 8 | 16;

const IV: [u32; 4] = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A];

/// Which message word goes where in each of the seven rounds: each permutes the order of the one before.
const SCHEDULE: [[usize; 16]; 7] = {
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    let mut schedule = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]; 7];
    let mut round = 1;
    while round < 7 {
        let mut at = 0;
        while at < 16 {
            schedule[round][at] = schedule[round - 1][PERMUTATION[at]];
            at += 1;
        }
        round += 1;
    }
    schedule
};

/// The keyed hash of a block.
pub(crate) fn keyed_hash(key: &[u8; 32], block: &[u8; 64]) -> [u8; 32] {
    let [hash, _] = keyed_output(key, block);
    hash
}

/// The first 64 bytes of the extended output for a block, of which the first half is the hash.
pub(crate) fn keyed_output(key: &[u8; 32], block: &[u8; 64]) -> [[u8; 32]; 2] {
    let (key, block): ([u32; 8], [u32; 16]) = (words(key), words(block));
    let mut state = [0; 16];
    state[..8].copy_from_slice(&key);
    state[8..12].copy_from_slice(&IV);
    // Words 12 and 13 count the blocks before this one; then its length.
    state[14] = 64;
    state[15] = FLAGS;
    for order in &SCHEDULE {
        let pair = |at: usize| (block[order[2 * at]], block[order[2 * at + 1]]);
        mix(&mut state, [0, 4, 8, 12], pair(0));
        mix(&mut state, [1, 5, 9, 13], pair(1));
        mix(&mut state, [2, 6, 10, 14], pair(2));
        mix(&mut state, [3, 7, 11, 15], pair(3));
        mix(&mut state, [0, 5, 10, 15], pair(4));
        mix(&mut state, [1, 6, 11, 12], pair(5));
        mix(&mut state, [2, 7, 8, 13], pair(6));
        mix(&mut state, [3, 4, 9, 14], pair(7));
    }
    let mut output = [[0; 32]; 2];
    for at in 0..8 {
        let (low, high) = (state[at] ^ state[at + 8], state[at + 8] ^ key[at]);
        output[0][4 * at..4 * at + 4].copy_from_slice(&low.to_le_bytes());
        output[1][4 * at..4 * at + 4].copy_from_slice(&high.to_le_bytes());
    }
    output
}

#[inline(always)]
fn mix(state: &mut [u32; 16], [a, b, c, d]: [usize; 4], (x, y): (u32, u32)) {
    state[a] = state[a].wrapping_add(state[b]).wrapping_add(x);
    state[d] = (state[d] ^ state[a]).rotate_right(16);
    state[c] = state[c].wrapping_add(state[d]);
    state[b] = (state[b] ^ state[c]).rotate_right(12);
    state[a] = state[a].wrapping_add(state[b]).wrapping_add(y);
    state[d] = (state[d] ^ state[a]).rotate_right(8);
    state[c] = state[c].wrapping_add(state[d]);
    state[b] = (state[b] ^ state[c]).rotate_right(7);
}

fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{SeededRandom, random_array};

    #[test]
    fn agrees_with_the_crate() {
        let random = SeededRandom::new(1);
        for _ in 0..2000 {
            let (key, block) = (random_array::<32>(&random), random_array::<64>(&random));
            let mut expected = [0; 64];
            blake3::Hasher::new_keyed(&key).update(&block).finalize_xof().fill(&mut expected);
            assert_eq!(keyed_output(&key, &block).concat(), expected);
            assert_eq!(keyed_hash(&key, &block), *blake3::keyed_hash(&key, &block).as_bytes());
        }
    }
}
