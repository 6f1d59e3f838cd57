//! Streams that need no credential: few a connection, and few in all, since whoever opens them is not known.

use std::sync::Arc;

use http::Extensions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::activity::Activity;
use super::limits::{MAX_ANONYMOUS_STREAMS, MAX_ANONYMOUS_STREAMS_PER_CONNECTION};
use crate::error::{Error, Reason};

/// Those of one kind, of all listeners. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct AnonymousStreams(Arc<Semaphore>);

/// The permit of one stream; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct AnonymousStreamPermit {
    _in_all: OwnedSemaphorePermit,
    _of_connection: Option<OwnedSemaphorePermit>,
}

impl Default for AnonymousStreams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ANONYMOUS_STREAMS)))
    }
}

impl AnonymousStreams {
    /// A permit for the stream of a request with these extensions.
    pub(crate) fn permit(&self, extensions: &Extensions) -> Result<AnonymousStreamPermit, Error> {
        let of_connection = match extensions.get::<Activity>() {
            Some(activity) => Some(activity.anonymous_stream().ok_or_else(too_many)?),
            None => None,
        };
        let in_all = Arc::clone(&self.0).try_acquire_owned().map_err(|_| too_many())?;
        Ok(AnonymousStreamPermit { _in_all: in_all, _of_connection: of_connection })
    }
}

fn too_many() -> Error {
    let text = format!(
        "streams without a credential: a connection has at most {MAX_ANONYMOUS_STREAMS_PER_CONNECTION}, the server \
         {MAX_ANONYMOUS_STREAMS}"
    );
    Error::new(Reason::LimitExceeded, text).with("limit", "anonymous_streams")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_few_and_all_have_a_bounded_number() {
        let streams = AnonymousStreams::default();
        let mut permits = Vec::new();
        while permits.len() < MAX_ANONYMOUS_STREAMS {
            let mut connection = Extensions::new();
            connection.insert(Activity::default());
            for _ in 0..MAX_ANONYMOUS_STREAMS_PER_CONNECTION {
                permits.push(streams.permit(&connection).unwrap());
            }
            assert!(streams.permit(&connection).is_err());
        }
        let refused = streams.permit(&Extensions::new()).unwrap_err();
        assert_eq!(refused.reason(), Reason::LimitExceeded);
        permits.pop();
        streams.permit(&Extensions::new()).unwrap();
    }
}
