//! Reads a body that is one message.

use std::pin::Pin;

use http_body::Body as _;
use tonic::body::Body;

use super::malformed;
use super::prefix::{PREFIX_BYTES, message_length};
use crate::error::Error;
use crate::server::request_budget::Reservation;

/// Copies what arrives, so that many small pieces take no more memory than their bytes.
pub(super) struct Reader<'a> {
    limit: usize,
    reservation: &'a Reservation,
    received: Vec<u8>,
    /// Of the message, once its prefix is there.
    length: Option<usize>,
    reserved: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(limit: usize, reservation: &'a Reservation) -> Self {
        Self { limit, reservation, received: Vec::new(), length: None, reserved: 0 }
    }

    /// Returns the message with its prefix.
    pub(super) async fn read(mut self, mut body: Body) -> Result<Vec<u8>, Error> {
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            // Trailers of a request mean nothing in gRPC.
            let Ok(data) = frame.map_err(|_| cut_short())?.into_data() else { break };
            self.push(&data)?;
            self.reservation.read(data.len()).await;
        }
        match self.length {
            Some(length) if self.received.len() == PREFIX_BYTES + length => Ok(self.received),
            None if self.received.is_empty() => Err(malformed("must be one message; it is empty")),
            _ => Err(cut_short()),
        }
    }

    fn push(&mut self, data: &[u8]) -> Result<(), Error> {
        self.reserve(self.received.len() + data.len())?;
        self.received.extend_from_slice(data);
        if self.length.is_none() {
            self.length = message_length(&self.received, self.limit)?;
        }
        if self.length.is_some_and(|length| self.received.len() > PREFIX_BYTES + length) {
            return Err(malformed("must be one message; more follows it"));
        }
        Ok(())
    }

    /// Makes room for `needed` bytes in all. Room is doubled, but never beyond the message, and is taken from the budget first.
    fn reserve(&mut self, needed: usize) -> Result<(), Error> {
        if needed > self.reserved {
            let whole = self.length.map_or(needed, |length| PREFIX_BYTES + length);
            let room = self.reserved.saturating_mul(2).min(whole).max(needed);
            self.reservation.grow(room)?;
            self.received.reserve_exact(room - self.received.len());
            self.reserved = room;
        }
        Ok(())
    }
}

fn cut_short() -> Error {
    malformed("must be one message; it ends too early")
}
