//! `facter`: the facts of a host, gathered in one round trip.

use exed_sdk::{Failure, Host, NoArgs, Operation, Outcome, Step};

use crate::facts;

/// The output of the script; a host with thousands of mounts or interfaces stays below it.
const OUTPUT_LIMIT: u64 = 4 << 20;

pub(crate) struct Facter;

impl Operation for Facter {
    const NAME: &'static str = "facter";
    const SUMMARY: &'static str = "Gathers facts under Ansible's names";
    type Args = NoArgs;

    fn run(host: &Host, _args: NoArgs) -> Result<Outcome, Failure> {
        let output = host.run(Step::script("facts").output_limit(OUTPUT_LIMIT))?;
        if !output.success() {
            let stderr = output.stderr_text();
            return Ok(Outcome::failed(format!(
                "the facts script ended with {}: {}",
                output.status,
                stderr.trim()
            )));
        }
        if output.dropped > 0 {
            return Ok(Outcome::failed(format!("the facts are {} bytes too long", output.dropped)));
        }
        Ok(Outcome::ok().with("facter", facts::collect(&output.stdout_text())))
    }
}
