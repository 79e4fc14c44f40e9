//! WASI 0.2 for guests that need it, interface by interface, with nothing behind it: no preopened folder, no
//! environment, no arguments, no sockets, and an output that ends up in the log.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use semver::Version;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random, sockets};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi::{WasiCtx, WasiView};

use crate::meter::Meter;
use crate::state::{Identity, RunState};

/// The newest WASI that is linked; older ones of the same line fit.
pub(crate) const NEWEST: Version = Version::new(0, 2, 12);

type Link = fn(&mut Linker<RunState>) -> wasmtime::Result<()>;

/// `ResourceTable` for `wasi:io`.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

const INTERFACES: [(&str, Link); 27] = [
    ("wasi:io/error", |l| io::error::add_to_linker::<_, HasTable>(l, |s| s.ctx().table)),
    ("wasi:io/poll", |l| io::poll::add_to_linker::<_, HasTable>(l, |s| s.ctx().table)),
    ("wasi:io/streams", |l| io::streams::add_to_linker::<_, HasTable>(l, |s| s.ctx().table)),
    ("wasi:clocks/wall-clock", |l| clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, RunState::clocks)),
    ("wasi:clocks/monotonic-clock", |l| {
        clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, RunState::clocks)
    }),
    ("wasi:random/random", |l| random::random::add_to_linker::<_, WasiRandom>(l, RunState::random)),
    ("wasi:random/insecure", |l| random::insecure::add_to_linker::<_, WasiRandom>(l, RunState::random)),
    ("wasi:random/insecure-seed", |l| {
        random::insecure_seed::add_to_linker::<_, WasiRandom>(l, RunState::random)
    }),
    ("wasi:filesystem/preopens", |l| {
        filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, RunState::filesystem)
    }),
    ("wasi:filesystem/types", |l| {
        filesystem::types::add_to_linker::<_, WasiFilesystem>(l, RunState::filesystem)
    }),
    ("wasi:cli/exit", |l| cli::exit::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/environment", |l| cli::environment::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/stdin", |l| cli::stdin::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/stdout", |l| cli::stdout::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/stderr", |l| cli::stderr::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/terminal-input", |l| cli::terminal_input::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/terminal-output", |l| cli::terminal_output::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/terminal-stdin", |l| cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/terminal-stdout", |l| cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:cli/terminal-stderr", |l| cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, RunState::cli)),
    ("wasi:sockets/instance-network", |l| {
        sockets::instance_network::add_to_linker::<_, WasiSockets>(l, RunState::sockets)
    }),
    ("wasi:sockets/network", |l| {
        sockets::network::add_to_linker::<_, WasiSockets>(l, &Default::default(), RunState::sockets)
    }),
    ("wasi:sockets/ip-name-lookup", |l| {
        sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, RunState::sockets)
    }),
    ("wasi:sockets/tcp", |l| sockets::tcp::add_to_linker::<_, WasiSockets>(l, RunState::sockets)),
    ("wasi:sockets/tcp-create-socket", |l| {
        sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, RunState::sockets)
    }),
    ("wasi:sockets/udp", |l| sockets::udp::add_to_linker::<_, WasiSockets>(l, RunState::sockets)),
    ("wasi:sockets/udp-create-socket", |l| {
        sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, RunState::sockets)
    }),
];

/// A WASI interface that can be linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interface(&'static str);

impl Interface {
    /// The interface of this name, without version, if it is one of ours.
    pub(crate) fn named(name: &str) -> Option<Self> {
        INTERFACES.iter().map(|(known, _)| *known).find(|known| *known == name).map(Self)
    }

    pub(crate) fn link(self, linker: &mut Linker<RunState>) -> wasmtime::Result<()> {
        INTERFACES.iter().filter(|(name, _)| *name == self.0).try_for_each(|(_, link)| link(linker))
    }
}

/// A context with nothing in it.
pub(crate) fn nothing(identity: &Arc<Identity>, meter: &Arc<Meter>) -> WasiCtx {
    let pipe = |stream| Output {
        identity: Arc::clone(identity),
        meter: Arc::clone(meter),
        stream,
        line: Arc::default(),
    };
    let mut builder = WasiCtx::builder();
    builder
        .stdout(pipe("stdout"))
        .stderr(pipe("stderr"))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    builder.build()
}

/// Standard output or error: whole lines go to the log, and every byte counts as output of the run.
#[derive(Clone)]
struct Output {
    identity: Arc<Identity>,
    meter: Arc<Meter>,
    stream: &'static str,
    line: Arc<Mutex<Vec<u8>>>,
}

/// A longer line is logged in pieces.
const LONGEST_LINE: usize = 8 << 10;

impl Output {
    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
            }
            if *byte == b'\n' || line.len() >= LONGEST_LINE {
                self.log(&line);
                line.clear();
            }
        }
    }

    fn log(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        tracing::info!(plugin = %self.identity.label, stream = self.stream, "{text}");
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.meter.output(bytes.len()).map_err(|breach| StreamError::Trap(breach.into()))?;
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this one, and that is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}
