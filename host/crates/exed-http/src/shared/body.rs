//! Reading request bodies, bounded in size and in time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is larger than what is accepted.
    #[error("body: larger than {limit} bytes, which is the most that is accepted")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The client took too long to send it.
    #[error("body: not received within {seconds} s")]
    TooSlow {
        /// What was allowed.
        seconds: u64,
    },
    /// The connection broke, or the encoding of the body is wrong.
    #[error("body: ended before it was complete")]
    Incomplete,
}

/// The whole body.
pub(crate) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, BodyError> {
    let whole = Limited::new(body, limit).collect();
    let whole = tokio::time::timeout(within, whole).await;
    match whole {
        Err(_elapsed) => Err(BodyError::TooSlow { seconds: within.as_secs() }),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if is_too_large(error.as_ref()) => Err(BodyError::TooLarge { limit }),
        Ok(Err(_broken)) => Err(BodyError::Incomplete),
    }
}

fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_too_large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_is_inclusive() {
        let read = |text: &'static str| read(Body::from(text), 4, Duration::from_secs(5));
        assert_eq!(read("1234").await, Ok(Bytes::from("1234")));
        assert_eq!(read("12345").await, Err(BodyError::TooLarge { limit: 4 }));
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_given_up() {
        let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let error = read(never, 4, Duration::ZERO).await;
        assert_eq!(error, Err(BodyError::TooSlow { seconds: 0 }));
    }
}
