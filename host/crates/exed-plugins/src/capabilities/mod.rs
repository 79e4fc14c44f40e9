//! What a plugin may be given: one file for each capability. A capability is in a plugin's linker only if
//! its manifest declares it and the operator granted it.

pub(crate) mod events;
pub(crate) mod steps;
pub(crate) mod transfer;
pub(crate) mod wasi;

use exed_plugin_api::v0_1::executor::exed;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::state::RunState;

/// A capability of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Capability {
    /// Results and log lines.
    Events,
    /// Steps and transfers on the host of the run.
    Transport,
}

impl Capability {
    /// Every capability, sorted by word.
    pub(crate) const ALL: [Self; 2] = [Self::Events, Self::Transport];

    /// The word used in manifests and in the configuration.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Transport => "transport",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.word() == word)
    }

    /// All words, for messages.
    pub(crate) fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The WIT interfaces that it stands for.
    fn stands_for(self) -> &'static [&'static str] {
        match self {
            Self::Events => &["exed:events/events"],
            Self::Transport => &["exed:transport/steps", "exed:transport/transfer"],
        }
    }

    /// All interfaces, for messages.
    pub(crate) fn interfaces() -> String {
        Self::ALL.map(|capability| capability.stands_for().join(", ")).join(", ")
    }

    /// The capability that an interface (without version) belongs to.
    pub(crate) fn of_interface(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.stands_for().contains(&name))
    }

    fn link(self, linker: &mut Linker<RunState>) -> wasmtime::Result<()> {
        match self {
            Self::Events => exed::events::events::add_to_linker::<_, HasSelf<_>>(linker, |state| state),
            Self::Transport => {
                exed::transport::steps::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
                exed::transport::transfer::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
            }
        }
    }
}

/// A linker that holds these capabilities and WASI interfaces, and nothing else.
pub(crate) fn linker(
    engine: &Engine,
    granted: &[Capability],
    wasi: &[wasi::Interface],
) -> wasmtime::Result<Linker<RunState>> {
    let mut linker = Linker::new(engine);
    for capability in granted {
        capability.link(&mut linker)?;
    }
    for interface in wasi {
        interface.link(&mut linker)?;
    }
    Ok(linker)
}
