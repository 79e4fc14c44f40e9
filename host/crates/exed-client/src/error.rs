//! Why a call of the server has no result.

use crate::wire::Problem;

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address is wrong.
    #[error("the server address {address} is not a URL like http://127.0.0.1:16808")]
    Address {
        /// As it was given.
        address: String,
    },
    /// Nobody answers there.
    #[error(
        "no exed server answers at {server}; start one with `exed -c FILE`, or name another one with \
         --server URL or EXED_SERVER"
    )]
    NotRunning {
        /// Where.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The connection failed in the middle.
    #[error("the connection to {server} failed")]
    Connection {
        /// Where.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused the request.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// Something answers there that does not speak this API.
    #[error("{server} answers {status} with something that is not of exed's API: {excerpt}")]
    NotExed {
        /// Where.
        server: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// An event that cannot be read.
    #[error("the server has sent an event that this client cannot read: {0}")]
    Event(String),
}
