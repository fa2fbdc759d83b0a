//! Reading a body up to a limit, without a copy where it comes in one piece.

use std::future::poll_fn;
use std::pin::pin;

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;

/// Why a body cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// Longer than the limit.
    TooLarge,
    /// The connection broke.
    Broken,
}

/// Reads the whole body. One that announces more than the limit is not begun; the limit counts what arrives, whatever was
/// announced.
pub(crate) async fn read_body<B: Body>(body: B, limit: usize) -> Result<Bytes, ReadError> {
    // HTTP servers have this from `Content-Length`.
    if body.size_hint().lower() > limit as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut body = pin!(body);
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    loop {
        if body.is_end_stream() {
            break;
        }
        let frame = match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            None => break,
            Some(Err(_)) => return Err(ReadError::Broken),
            Some(Ok(frame)) => frame,
        };
        let Ok(mut data) = frame.into_data() else { continue };
        let length = data.remaining();
        if length > limit - first.len().max(rest.len()) {
            return Err(ReadError::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = data.copy_to_bytes(length);
            continue;
        }
        if rest.is_empty() {
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            rest.extend_from_slice(chunk);
            let read = chunk.len();
            data.advance(read);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::FutureExt;
    use http_body::{Frame, SizeHint};

    use super::*;

    /// Says how long it is, and must not be asked for more.
    struct Announced(u64);

    impl Body for Announced {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("a body that is too long is read");
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.0)
        }
    }

    #[test]
    fn rp_16_what_announces_too_much_is_not_begun() {
        for length in [1001, u64::MAX] {
            let read = read_body(Announced(length), 1000).now_or_never();
            assert_eq!(read, Some(Err(ReadError::TooLarge)));
        }
    }
}
