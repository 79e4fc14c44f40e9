//! The wire types of the native API. The domain's entities are converted into them by hand.

pub(super) mod event;
pub(super) mod host;
pub(super) mod job;
pub(super) mod plugin;

use exed_domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items, in the order of the list.
    pub(super) items: Vec<T>,
    /// Give this as `after` to have the next page; null on the last one.
    pub(super) next: Option<String>,
}

/// RFC 3339 in UTC. A time outside of what a calendar knows is shown as the nearest one inside.
pub(super) fn time(timestamp: Timestamp) -> String {
    let known = jiff::Timestamp::from_millisecond(timestamp.0);
    let nearest = if timestamp.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    known.unwrap_or(nearest).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time(Timestamp(1_488_272_314_250)), "2017-02-28T08:58:34.25Z");
        assert_eq!(time(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert!(time(Timestamp(i64::MAX)).starts_with("9999-"));
        assert!(time(Timestamp(i64::MIN)).starts_with('-'));
    }
}
