//! Typed steps over a [`Connector`](crate::connect::Connector): rendering, the wrapper on the host,
//! probes, transfers, and the end of runs.
//!
//! A batch is one command on one channel. Steps that cannot change the host run as they are. Every other
//! step runs under a wrapper in POSIX `sh`, sent inside the command:
//!
//! ```text
//!   server ── channel ──▶ front (sh, framed.sh)          prints marks around every step's output
//!                           │ repeatable                  │ once
//!                           ▼                             ▼
//!                         setsid program                setsid supervisor (sh, supervise.sh)
//!                                                         │ boot id, pid, start time, status
//!                                                         ├─ program
//!                                                         └─ two cappers: record/out, record/err
//! ```
//!
//! The folder for records is `/var/lib/exed` for root, else `~/.local/state/exed`, else
//! `/var/tmp/exed-UID`; all of them survive a reboot. In it there is one folder per run, with an empty
//! file `t.N` for every fencing token N seen, `d.ID` for every repeatable step that ended, and one folder
//! per recorded step. A step's folder is made with `mkdir`, which only one attempt can do.
//!
//! A recorded step writes to files only, so that neither a lost connection nor a slow one stops it. What
//! is followed live is read from those files and repeated as a whole at the end.

mod capture;
mod check;
mod command;
mod escalate;
mod frames;
mod id;
mod probe;
mod quote;
mod render;
mod run;
mod session;
pub(crate) mod signal;
pub(crate) mod terminate;
pub(crate) mod transfer;

pub(crate) use id::run_mark;
pub use id::step_id;
pub(crate) use run::{Context, run};
