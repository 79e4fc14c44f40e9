//! Everything that touches the world, as traits. Adapters implement them; services use them.

pub mod bus;
pub mod clock;
pub mod executors;
pub mod inventory;
pub mod policies;
pub mod store;
pub mod transport;

pub use bus::{Bus, Signal, Subscription};
pub use clock::Clock;
pub use executors::{
    ExecutorHandle, Executors, Plan, PlanRequest, PluginAdmin, PluginError, RunHost, RunRequest,
};
pub use inventory::{InventorySource, InventoryStatus};
pub use policies::Policies;
pub use store::{JobStore, StoreError};
pub use transport::{OutputSink, RunKey, StepTransport, TerminateReport, Transfer, TransferRequest};
