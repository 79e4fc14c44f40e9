//! Failures of our own: logged once, with their chain, where they are answered; never shown outside.

use std::error::Error as _;

use exed_domain::Error;

use super::context;

/// Logs an internal error under the request's id and returns what may be shown of it. Errors that are the
/// client's business are not logged here; the access log has their status.
pub(crate) fn report(error: &Error) -> String {
    let id = context::request_id();
    tracing::error!(request_id = %id, error = %chain(error), "request failed");
    format!("internal error (request {id})")
}

/// An error with everything that caused it, on one line.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_on_one_line_and_the_answer_hides_it() {
        let error = Error::internal("using the store", std::io::Error::other("disk is full"));
        assert_eq!(chain(&error), "internal error: using the store: disk is full");
        assert_eq!(report(&error), "internal error (request -)");
    }
}
