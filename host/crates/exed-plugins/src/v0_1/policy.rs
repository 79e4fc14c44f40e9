//! Questions to policies and their answers.

use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_plugin_api::v0_1::policy::exports::exed::policy::policy as wit;

pub(crate) fn subject(subject: &Subject) -> wit::Subject {
    wit::Subject {
        actor: subject.actor.clone(),
        operation: subject.operation.clone(),
        plugin: subject.plugin.clone(),
        host: subject.host.0.clone(),
    }
}

pub(crate) fn actions(proposals: &[Proposal]) -> Vec<wit::Action> {
    proposals.iter().map(action).collect()
}

fn action(proposal: &Proposal) -> wit::Action {
    match proposal {
        Proposal::Argv(argv) => wit::Action::Argv(argv.clone()),
        Proposal::Shell(text) => wit::Action::Shell(text.clone()),
        Proposal::Script { name, digest, args, read_only } => wit::Action::Script(wit::ScriptAction {
            name: name.clone(),
            digest: digest.clone(),
            args: args.clone(),
            read_only: *read_only,
        }),
        Proposal::WriteFile { path, mode, size } => {
            wit::Action::WriteFile(wit::FileAction { path: path.clone(), mode: *mode, size: *size })
        }
        Proposal::ReadFile { path } => wit::Action::ReadFile(path.clone()),
        Proposal::Probe { kind, subject } => {
            let (kind, subject) = ((*kind).to_owned(), subject.clone());
            wit::Action::Probe(wit::ProbeAction { kind, subject })
        }
    }
}

pub(crate) fn verdict(verdict: wit::Verdict, policy: &str) -> Verdict {
    match verdict {
        wit::Verdict::Allow => Verdict::Allow,
        wit::Verdict::Deny(reason) => Verdict::Deny { policy: policy.to_owned(), reason },
    }
}
