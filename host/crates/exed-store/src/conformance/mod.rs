//! What every job store must do. An adapter's tests call [`suite!`] with a factory that returns a store
//! and whatever must live as long as it; each test gets an empty store of its own.

pub(crate) mod events;
pub(crate) mod leases;
pub(crate) mod lifecycle;
pub(crate) mod model;
pub(crate) mod queue;
pub(crate) mod submission;
pub(crate) mod support;

/// Declares one test per requirement, for the store that `$factory` makes.
macro_rules! suite {
    ($factory:expr) => {
        crate::conformance::suite!(@each $factory;
            submission: stores_everything, defaults_and_zero_hosts, same_key_same_request,
                same_key_other_request, same_key_other_requester, concurrent_same_key,
                conflicts_are_all_or_nothing, other_mutexes_do_not_conflict, five_hundred_hosts,
                strange_text_survives, very_large_values;
            queue: oldest_first_up_to_the_limit, waits_until_every_host_is_free,
                no_overtaking_on_a_wanted_host, reject_job_takes_a_host_that_is_only_wanted,
                canceling_a_waiter_frees_those_behind, lists_newest_first, filters_and_pages, counts_states,
                concurrent_claims_never_share_a_job;
            leases: claim_makes_a_lease, expired_lease_is_taken_over, old_token_writes_nothing,
                unknown_job_has_no_lease, renewing_extends_and_tells_of_cancel,
                canceling_job_stays_canceling, released_leases_are_claimable_and_fenced,
                released_for_one_owner_only;
            events: numbered_without_gaps, numbered_under_concurrency, paged, targets_follow_events,
                a_host_begun_again_begins_anew, binary_output, every_kind_comes_back, plugin_is_noted;
            lifecycle: finish_ends_everything, endings_follow_the_state_machine, cancel_of_a_queued_job,
                cancel_of_running_and_ended_jobs, delete_only_what_has_ended, aliases_are_never_reused,
                prune_removes_events_then_jobs, prune_goes_by_batches, reject_mutex_is_released;
        );

        #[test]
        fn random_operations_match_the_model() {
            crate::conformance::model::compare($factory);
        }
    };
    (@each $factory:expr; $($module:ident: $($name:ident),+;)+) => {
        $(
            mod $module {
                use super::*;
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        let factory = $factory;
                        let (store, _kept) = factory();
                        crate::conformance::$module::$name(store).await;
                    }
                )+
            }
        )+
    };
}
pub(crate) use suite;
