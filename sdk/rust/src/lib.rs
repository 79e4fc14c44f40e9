//! Write plugins for exed in Rust.
//!
//! A plugin is a WebAssembly component. An **executor** performs operations on hosts: straight-line code
//! for one host, which the server runs once per job and host, each time in an instance of its own. A
//! **policy** allows or denies steps before they are sent. Everything a plugin can do goes through the
//! server: it has no files, no network, no clock and no environment.
//!
//! # An executor in one file
//!
//! `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`; `plugin.toml` beside it is the manifest:
//!
//! ```toml
//! name = "uptime"
//! version = "0.1.0"
//! kind = "executor"
//! api = "^0.1"
//! summary = "Tells how long hosts have been up"
//! capabilities = ["transport", "events"]
//! ```
//!
//! `src/lib.rs`:
//!
//! ```
//! use exed_sdk::{Entry, Executor, Failure, Host, NoArgs, Operation, Outcome, Step};
//!
//! struct Uptime;
//!
//! impl Operation for Uptime {
//!     const NAME: &'static str = "uptime";
//!     const SUMMARY: &'static str = "Seconds since the host was started";
//!     type Args = NoArgs;
//!
//!     fn run(host: &Host, _args: NoArgs) -> Result<Outcome, Failure> {
//!         let output = host.run(Step::argv(["cat", "/proc/uptime"]))?;
//!         let text = output.stdout_text();
//!         match text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()) {
//!             Some(seconds) => Ok(Outcome::ok().with("seconds", seconds)),
//!             None => Ok(Outcome::failed(format!("/proc/uptime reads {text:?}"))),
//!         }
//!     }
//! }
//!
//! struct Plugin;
//!
//! impl Executor for Plugin {
//!     const OPERATIONS: &'static [Entry] = &[Entry::of::<Uptime>()];
//! }
//!
//! // In a plugin: exed_sdk::executor!(Plugin, manifest = "plugin.toml");
//!
//! // And a test of it, which needs neither server nor WebAssembly:
//! use exed_sdk::testing::{Reply, ScriptedHost};
//!
//! let transcript = ScriptedHost::new("web1")
//!     .on(Step::argv(["cat", "/proc/uptime"]), Reply::stdout("12.5 40.0\n"))
//!     .run::<Plugin>("uptime", exed_sdk::json!({}));
//! transcript.assert_complete();
//! assert_eq!(transcript.results, [exed_sdk::TaskResult {
//!     name: "uptime".to_owned(),
//!     outcome: Outcome::ok().with("seconds", 12.5),
//! }]);
//! ```
//!
//! # Steps
//!
//! [`Host::run`] takes a [`Step`]: a program with its arguments, a shell line, a script that is embedded in
//! the component, a small file, or a read-only question. Data belongs into arguments, environment or
//! standard input, never into a script's text. A step that must not run twice says
//! [`once`](Step::once) with a name; after a crash of the server the run starts again from the beginning,
//! and such a step returns the result that is recorded on the host. [`Host::run_batch`] sends several steps
//! in one round trip.
//!
//! # Capabilities
//!
//! Steps and transfers need `transport`, results and log lines `events`. Both must stand in the manifest
//! and be granted by the operator. What a plugin does not call, its component does not import.

mod args;
#[cfg(target_arch = "wasm32")]
pub mod component;
mod executor;
mod host;
mod macros;
mod outcome;
mod output;
mod policy;
mod step;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod transfer;

#[cfg(target_arch = "wasm32")]
use component::transport as backend;
#[cfg(not(target_arch = "wasm32"))]
use testing::backend;

pub use executor::{Entry, Executor, FieldError, NoArgs, Operation, PlanRequest, RunRequest};
pub use host::{Host, Level, OnFailure};
pub use outcome::{Failure, Outcome, RunError, State, TaskResult};
pub use output::{Answer, ExitStatus, Output, StepError};
pub use policy::{Policy, PolicyAction, Subject, Verdict};
pub use serde_json::{Value, json};
pub use step::{Action, Probe, Repeat, RunAs, Step};
pub use transfer::{Download, Upload};
