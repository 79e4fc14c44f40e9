//! What every connector, and the steps over it, must do: one suite, run over each connector.

mod basics;
mod become_user;
mod ending;
mod files;
mod fixture;
mod recorded;

/// Runs every case of the suite against a fixture.
macro_rules! suite {
    ($fixture:expr; $($module:ident :: $case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = $fixture.await;
                crate::conformance::$module::$case(&fixture).await;
            }
        )+
    };
}

/// The cases, in one list for all connectors.
macro_rules! all_cases {
    ($fixture:expr) => {
        suite! { $fixture;
            basics::every_action_works,
            basics::light_and_framed_output_is_exact,
            basics::codes_and_signals_are_told_apart,
            basics::huge_output_is_capped_and_counted,
            basics::environment_input_and_folder_arrive,
            basics::batches_stop_or_keep_going,
            basics::bad_steps_are_refused,
            basics::live_output_is_prompt,
            basics::two_hundred_steps_at_once,
            files::probes_answer,
            files::files_are_put,
            files::transfers_are_whole,
            recorded::a_result_is_returned_again,
            recorded::a_running_step_is_taken_up,
            recorded::a_lost_step_is_unknown,
            recorded::an_older_token_is_fenced,
            recorded::a_step_outlives_its_channel,
            recorded::a_daemon_does_not_hold_a_step,
            ending::a_timeout_ends_the_tree,
            ending::a_run_is_ended_without_its_channel,
            ending::daemons_of_ended_steps_stay,
            become_user::sudo_runs_ends_and_asks,
        }
    };
}

mod ssh;

mod local {
    all_cases!(crate::conformance::fixture::Fixture::local());
}
