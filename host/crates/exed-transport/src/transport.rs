//! The port: chooses the connection of a host and carries steps over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use exed_domain::Host;
use exed_domain::ports::transport::TransferRequest;
use exed_domain::ports::{OutputSink, RunKey, StepTransport, TerminateReport, Transfer};
use exed_domain::step::{Step, StepError, StepOutput};

use crate::connect::Connector;
use crate::steps::{self, Context, terminate, transfer};

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportOptions {
    /// The most that is kept of each output stream of a step, in bytes, whatever the step asks for.
    pub output_ceiling: u64,
    /// How long the output of a recorded step is waited for after it has ended while a process that it
    /// left behind holds the output open.
    pub grace: Duration,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self { output_ceiling: 16 << 20, grace: Duration::from_secs(2) }
    }
}

/// Carries steps to hosts over SSH or on the server's own machine.
pub struct HostTransport {
    ssh: Arc<dyn Connector>,
    local: Arc<dyn Connector>,
    options: TransportOptions,
    closed: AtomicBool,
}

impl HostTransport {
    /// A transport over the two connectors.
    #[must_use]
    pub fn new(ssh: Arc<dyn Connector>, local: Arc<dyn Connector>, options: TransportOptions) -> Self {
        Self { ssh, local, options, closed: AtomicBool::new(false) }
    }

    /// The connector that the host's `ansible_connection` names. `localhost` without that variable is the
    /// server's own machine, as Ansible's implicit localhost is.
    fn connector(&self, host: &Host) -> Result<&dyn Connector, StepError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StepError::Unreachable("the server is stopping".to_owned()));
        }
        match host.var_text("ansible_connection").as_deref() {
            None if host.name.as_str() == "localhost" => Ok(&*self.local),
            None | Some("ssh" | "smart" | "paramiko" | "paramiko_ssh" | "ansible.builtin.ssh") => {
                Ok(&*self.ssh)
            }
            Some("local" | "ansible.builtin.local") => Ok(&*self.local),
            Some(other) => Err(StepError::Invalid(format!(
                "ansible_connection {other:?} of host {} is not supported; ssh and local are",
                host.name
            ))),
        }
    }
}

#[async_trait]
impl StepTransport for HostTransport {
    async fn run(
        &self,
        host: &Host,
        key: &RunKey,
        steps: &[Step],
        keep_going: bool,
        sink: Arc<dyn OutputSink>,
    ) -> Vec<Result<StepOutput, StepError>> {
        let connector = match self.connector(host) {
            Ok(connector) => connector,
            Err(error) => return steps.iter().map(|_| Err(error.clone())).collect(),
        };
        let grace = self.options.grace;
        let context = Context { connector, host, key, sink: &sink, keep_going, grace };
        let ceiling = self.options.output_ceiling;
        if steps.iter().all(|step| step.output_limit <= ceiling) {
            return steps::run(context, steps).await;
        }
        let limited = |step: &Step| Step { output_limit: step.output_limit.min(ceiling), ..step.clone() };
        let steps: Vec<Step> = steps.iter().map(limited).collect();
        steps::run(context, &steps).await
    }

    async fn transfer(
        &self,
        host: &Host,
        key: &RunKey,
        request: TransferRequest,
    ) -> Result<Box<dyn Transfer>, StepError> {
        let connector = self.connector(host)?;
        let marks = format!("EXED_RUN={}", steps::run_mark(key));
        transfer::open(connector, host, &marks, &request).await
    }

    async fn terminate(&self, host: &Host, key: &RunKey) -> Result<TerminateReport, StepError> {
        terminate::run(self.connector(host)?, host, key).await
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.ssh.close().await;
        self.local.close().await;
    }
}
