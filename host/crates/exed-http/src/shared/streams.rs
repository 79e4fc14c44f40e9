//! Long-lived answers: counted while they are open, and ended when the server drains.

use futures_util::{Stream, StreamExt};

use super::metrics::OpenStream;
use crate::router::Api;

/// Ties a stream to the server's life: it is counted while a client reads it and ends when draining
/// begins. The client resumes from the last event it has.
pub(crate) fn tied<S: Stream>(api: &Api, stream: S) -> impl Stream<Item = S::Item> + use<S> {
    let open = OpenStream::new(api.metrics());
    let drained = api.options().drain.clone().cancelled_owned();
    stream.take_until(drained).map(move |item| {
        let _counted_while_open = &open;
        item
    })
}
