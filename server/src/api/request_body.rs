//! Request bodies with a limit on silence.

use std::time::Duration;

use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

use super::observe::ReceivedBytes;
use crate::services::registry::{BodyError, RequestBody};

/// The body of a request before anything of it is read.
pub(super) struct RequestStream {
    pub(super) payload: Payload,
    pub(super) idle: Duration,
    pub(super) received: ReceivedBytes,
}

/// Why a small body could not be read.
#[derive(Debug)]
pub(super) enum CollectError {
    TooLarge,
    Broken(BodyError),
}

impl RequestStream {
    /// The body in pieces. It ends with an error when the client goes away or is silent for too long.
    pub(super) fn into_body(self) -> RequestBody<'static> {
        Box::pin(stream::unfold(Some(self), |state| async move {
            let mut state = state?;
            match tokio::time::timeout(state.idle, state.payload.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(bytes))) => {
                    state.received.add(bytes.len());
                    Some((Ok(bytes), Some(state)))
                }
                Ok(Some(Err(error))) => Some((Err(BodyError(error.to_string())), None)),
                Err(_) => {
                    state.received.stall();
                    Some((
                        Err(BodyError(format!(
                            "nothing was sent for {} seconds",
                            state.idle.as_secs()
                        ))),
                        None,
                    ))
                }
            }
        }))
    }

    /// The whole body, at most `limit` bytes.
    pub(super) async fn collect(self, limit: usize) -> Result<Bytes, CollectError> {
        let mut body = self.into_body();
        let mut all = BytesMut::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(CollectError::Broken)?;
            if all.len() + piece.len() > limit {
                return Err(CollectError::TooLarge);
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}
