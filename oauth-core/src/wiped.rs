//! Bytes that are overwritten when they are dropped.

use std::ops::{Deref, DerefMut};

/// Secret bytes: a plain overwrite that the compiler may not drop, which costs a few instructions where `Zeroizing`
/// writes byte by byte.
#[derive(Clone)]
pub(crate) struct Wiped<const N: usize>([u8; N]);

impl<const N: usize> Wiped<N> {
    pub(crate) fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    pub(crate) fn zeroed() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Deref for Wiped<N> {
    type Target = [u8; N];

    fn deref(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Wiped<N> {
    fn deref_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Drop for Wiped<N> {
    fn drop(&mut self) {
        self.0 = [0; N];
        zeroize::optimization_barrier(&self.0);
    }
}
