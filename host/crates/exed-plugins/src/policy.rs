//! Policies: warm, configured instances that are reused, because a policy is pure.
//!
//! Whatever goes wrong denies: a policy that is not loaded, traps, takes too long or answers with another
//! number of verdicts than it was asked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_plugin_api::v0_1::policy::{PolicyPlugin, PolicyPluginPre};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::InstancePre;
use wasmtime::{Store, UpdateDeadline};

use crate::limits::{Breach, Limits};
use crate::machine::Machine;
use crate::meter::Meter;
use crate::outcome;
use crate::state::{Confines, Identity};
use crate::v0_1::policy as convert;

/// Warm instances kept for one policy.
const MOST_WARM: usize = 8;
/// Slots that idle instances leave free, so that every policy can always be asked.
const KEPT_FREE: usize = 16;
/// An instance is thrown away after so many questions, so that a leak in it never matters.
const MOST_QUESTIONS: u32 = 2_000;
/// Processor time for `configure`, which may compile patterns.
const CONFIGURE: std::time::Duration = std::time::Duration::from_secs(2);

/// The data of a policy's store.
pub(crate) struct PolicyState {
    confines: Confines,
}

/// A compiled policy with its configuration.
pub(crate) struct PolicyProgram {
    identity: Arc<Identity>,
    limits: Limits,
    config: String,
    pre: PolicyPluginPre<PolicyState>,
    warm: Mutex<Vec<Warm>>,
}

struct Warm {
    store: Store<PolicyState>,
    api: PolicyPlugin,
    /// What the current question may use.
    budget: Arc<Mutex<Budget>>,
    questions: u32,
    _slot: OwnedSemaphorePermit,
}

struct Budget {
    meter: Meter,
    until: Instant,
}

impl Budget {
    fn new(limits: Limits) -> Self {
        let until = Instant::now() + limits.wall;
        let meter = Meter::new(limits);
        meter.resume();
        Self { meter, until }
    }

    fn check(&self) -> Result<(), Breach> {
        self.meter.check_cpu()?;
        if Instant::now() <= self.until {
            return Ok(());
        }
        let wall = self.meter.limits().wall.as_millis();
        Err(Breach::new("wall time", format!("at most {wall} ms for one question")))
    }
}

impl PolicyProgram {
    /// # Errors
    /// The component does not export the world as this server knows it.
    pub(crate) fn new(
        identity: Arc<Identity>,
        limits: &Limits,
        config: String,
        pre: InstancePre<PolicyState>,
    ) -> wasmtime::Result<Self> {
        let pre = PolicyPluginPre::new(pre)?;
        Ok(Self { identity, limits: limits.for_policy(), config, pre, warm: Mutex::default() })
    }

    /// Makes one instance, which says whether the configuration is accepted.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) async fn prove(&self, machine: &Machine) -> Result<(), String> {
        let warm = self.instantiate(machine).await?;
        self.keep(machine, warm);
        Ok(())
    }

    /// One verdict per proposal.
    ///
    /// # Errors
    /// Why there are none: everything is to be denied.
    pub(crate) async fn ask(
        &self,
        machine: &Machine,
        subject: &Subject,
        proposals: &[Proposal],
    ) -> Result<Vec<Verdict>, String> {
        let warm = self.lock().pop();
        let mut warm = match warm {
            Some(warm) => warm,
            None => self.instantiate(machine).await?,
        };
        warm.questions += 1;
        let asked = (convert::subject(subject), convert::actions(proposals));
        warm.refill(self.limits.clone());
        let verdicts = {
            let _computing = machine.ticker.computing();
            warm.api.exed_policy_policy().call_evaluate(&mut warm.store, &asked.0, &asked.1)
        };
        let verdicts = verdicts.map_err(|error| self.failed(&error))?;
        if verdicts.len() != proposals.len() {
            return Err(format!(
                "policy {} gave {} verdicts for {} questions",
                self.identity.label,
                verdicts.len(),
                proposals.len()
            ));
        }
        if warm.questions < MOST_QUESTIONS {
            self.keep(machine, warm);
        }
        let name = &self.identity.name;
        Ok(verdicts.into_iter().map(|verdict| convert::verdict(verdict, name)).collect())
    }

    async fn instantiate(&self, machine: &Machine) -> Result<Warm, String> {
        let slot = Arc::clone(&machine.policy_slots).acquire_owned().await;
        let slot = slot.map_err(|_closed| outcome::shutting_down(&self.identity.label).to_string())?;
        let _computing = machine.ticker.computing();
        let mut store =
            Store::new(&machine.engine, PolicyState { confines: Confines::new(self.limits.memory) });
        store.limiter(|state| &mut state.confines);
        let generous = Limits { cpu: CONFIGURE, wall: CONFIGURE * 2, ..self.limits.clone() };
        let budget = Arc::new(Mutex::new(Budget::new(generous)));
        let for_clock = Arc::clone(&budget);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            for_clock.lock().unwrap_or_else(PoisonError::into_inner).check()?;
            Ok(UpdateDeadline::Continue(1))
        });
        let api = self.pre.instantiate(&mut store).map_err(|error| self.failed(&error))?;
        let mut warm = Warm { store, api, budget, questions: 0, _slot: slot };
        let configured = warm.api.exed_policy_policy().call_configure(&mut warm.store, &self.config);
        match configured.map_err(|error| self.failed(&error))? {
            Ok(()) => Ok(warm),
            Err(problem) => {
                Err(format!("policy {} does not accept its configuration: {problem}", self.identity.label))
            }
        }
    }

    fn keep(&self, machine: &Machine, warm: Warm) {
        let mut kept = self.lock();
        if kept.len() < MOST_WARM && machine.policy_slots.available_permits() >= KEPT_FREE {
            kept.push(warm);
        }
    }

    /// Lets go of the warm instances of a policy that is no longer active.
    pub(crate) fn cool(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Warm>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &wasmtime::Error) -> String {
        outcome::classify(&self.identity.label, error).to_string()
    }
}

impl Warm {
    fn refill(&mut self, limits: Limits) {
        *self.budget.lock().unwrap_or_else(PoisonError::into_inner) = Budget::new(limits);
        self.store.set_epoch_deadline(1);
    }
}
