//! Capability `transport`, first half: steps on the host of the run.

use exed_domain::step::{Repeat, Step, StepError};
use exed_plugin_api::v0_1::executor::exed::transport::steps as wit;

use crate::engine::guest::OnServer;
use crate::state::{Fault, RunState};
use crate::v0_1::{outputs, steps};

impl wit::Host for RunState {
    async fn run(
        &mut self,
        task: String,
        step: wit::Step,
    ) -> wasmtime::Result<Result<wit::Output, wit::StepError>> {
        let mut results = self.run_steps(&task, vec![step], false).await?;
        results.pop().ok_or_else(|| Fault::new("steps.run: the server returned no result").into())
    }

    async fn run_batch(
        &mut self,
        task: String,
        steps: Vec<wit::Step>,
        keep_going: bool,
    ) -> wasmtime::Result<Vec<Result<wit::Output, wit::StepError>>> {
        self.run_steps(&task, steps, keep_going).await
    }
}

impl RunState {
    async fn run_steps(
        &mut self,
        task: &str,
        steps: Vec<wit::Step>,
        keep_going: bool,
    ) -> wasmtime::Result<Vec<Result<wit::Output, wit::StepError>>> {
        let host = self.host("steps.run")?;
        self.meter.host_call(task.len() + steps.iter().map(steps::weight).sum::<usize>())?;
        let count = steps.len();
        let steps = match self.convert_all(steps) {
            Ok(steps) => steps,
            Err(refused) => return Ok(refused),
        };
        let results = OnServer::new(host.steps(task, steps, keep_going), self.server.clone()).await;
        if results.len() != count {
            return Err(Fault::new("steps.run: the server returned another number of results").into());
        }
        Ok(results.into_iter().map(outputs::result).collect())
    }

    /// Either every step is well-formed, or none is sent.
    fn convert_all(
        &mut self,
        steps: Vec<wit::Step>,
    ) -> Result<Vec<Step>, Vec<Result<wit::Output, wit::StepError>>> {
        let count = steps.len();
        let mut converted = Vec::with_capacity(count);
        for (index, step) in steps.into_iter().enumerate() {
            match steps::step(step, &self.identity.scripts).and_then(|step| self.remember(step)) {
                Ok(step) => converted.push(step),
                Err(problem) => return Err(refusals(count, index, &problem)),
            }
        }
        Ok(converted)
    }

    /// Two once-steps under one path would share one record on the host, and the second never run.
    fn remember(&mut self, step: Step) -> Result<Step, String> {
        if step.repeat == Repeat::Once && !self.once_paths.insert(step.path.clone()) {
            return Err(format!("path: {:?} was already used by another once-step of this run", step.path));
        }
        Ok(step)
    }
}

fn refusals(count: usize, invalid: usize, problem: &str) -> Vec<Result<wit::Output, wit::StepError>> {
    let result = |index| {
        let error = if index == invalid {
            StepError::Invalid(problem.to_owned())
        } else {
            StepError::Failed(format!("not run: step {} of the batch is invalid", invalid + 1))
        };
        Err(outputs::error(error))
    };
    (0..count).map(result).collect()
}
