//! The five bytes before each message of gRPC: whether it is compressed, and its length.

use super::malformed;
use crate::error::{Error, Reason};

pub(super) const PREFIX_BYTES: usize = 5;

/// The length of the message that begins with `received`, once that is known.
pub(super) fn message_length(received: &[u8], limit: usize) -> Result<Option<usize>, Error> {
    let Some((&[flag, ref length @ ..], _)) = received.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    if flag != 0 {
        return Err(malformed("must be an uncompressed message, which begins with a zero byte"));
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        let text = format!("the request must be at most {limit} bytes (got {length})");
        let error = Error::new(Reason::LimitExceeded, text).with("limit", "request_bytes");
        return Err(error.with("most", limit.to_string()).with("given", length.to_string()));
    }
    Ok(Some(length))
}

/// Follows the messages of a stream by their prefixes.
#[derive(Debug)]
pub(in crate::server::layers) struct PrefixReader {
    limit: usize,
    prefix: Vec<u8>,
    /// Of the message that is under way.
    left: usize,
}

impl PrefixReader {
    /// Each message may have `limit` bytes.
    pub(in crate::server::layers) fn new(limit: usize) -> Self {
        Self { limit, prefix: Vec::with_capacity(PREFIX_BYTES), left: 0 }
    }

    /// Reads on; refuses a message that is too large by its prefix.
    pub(in crate::server::layers) fn read(&mut self, mut data: &[u8]) -> Result<(), Error> {
        while !data.is_empty() {
            let wanted = if self.left > 0 { self.left } else { PREFIX_BYTES - self.prefix.len() };
            let (taken, rest) = data.split_at(wanted.min(data.len()));
            data = rest;
            if self.left > 0 {
                self.left -= taken.len();
                continue;
            }
            self.prefix.extend_from_slice(taken);
            if let Some(length) = message_length(&self.prefix, self.limit)? {
                self.left = length;
                self.prefix.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A prefix and as many bytes.
    fn message(length: u32) -> Vec<u8> {
        [&[0], length.to_be_bytes().as_slice(), &vec![7; length.try_into().unwrap()]].concat()
    }

    #[test]
    fn messages_are_followed_however_they_are_cut() {
        let stream = [message(3), message(0), message(10), message(1)].concat();
        for piece in 1..stream.len() {
            let mut reader = PrefixReader::new(10);
            for data in stream.chunks(piece) {
                reader.read(data).unwrap();
            }
            assert_eq!((reader.left, reader.prefix.len()), (0, 0), "pieces of {piece}");
            assert_eq!(reader.read(&message(11)[..5]).unwrap_err().reason(), Reason::LimitExceeded);
        }
    }
}
