//! An executor that imports WASI 0.2 and tries to get at the server's machine through it.
//!
//! It reports `ok` if it found nothing, and `failed` with what it found otherwise.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use exed_sdk::{Entry, Executor, Failure, Host, NoArgs, Operation, Outcome};

/// The plugin.
#[derive(Debug)]
pub struct WasiProbe;

impl Executor for WasiProbe {
    const OPERATIONS: &'static [Entry] = &[Entry::of::<Probe>()];
}

exed_sdk::executor!(WasiProbe, manifest = "plugin.toml");

struct Probe;

impl Operation for Probe {
    const NAME: &'static str = "wasi-probe";
    const SUMMARY: &'static str = "Looks for anything behind WASI";
    type Args = NoArgs;

    fn run(_host: &Host, _args: NoArgs) -> Result<Outcome, Failure> {
        let mut found = Vec::new();
        files(&mut found);
        process(&mut found);
        network(&mut found);
        // Output is no access: it goes to the server's log, up to a limit.
        let _ = writeln!(std::io::stdout(), "wasi-probe: a line on standard output");
        let _ = writeln!(std::io::stderr(), "wasi-probe: a line on standard error");
        let outcome = if found.is_empty() {
            Outcome::ok()
        } else {
            Outcome::failed(format!("found behind WASI: {}", found.join(", ")))
        };
        Ok(outcome.with("found", found))
    }
}

fn files(found: &mut Vec<String>) {
    for path in ["/", ".", "/etc", "/proc", "/tmp"] {
        if std::fs::read_dir(path).is_ok() {
            found.push(format!("folder {path}"));
        }
    }
    for path in ["/etc/passwd", "/etc/hostname", "/proc/self/environ", "exed.toml"] {
        if std::fs::read(path).is_ok() {
            found.push(format!("file {path}"));
        }
    }
    for path in ["/tmp/wasi-probe", "wasi-probe"] {
        if std::fs::write(path, "was here").is_ok() {
            found.push(format!("writable {path}"));
        }
    }
}

fn process(found: &mut Vec<String>) {
    found.extend(std::env::vars_os().map(|(name, _)| format!("variable {}", name.to_string_lossy())));
    if std::io::stdin().read(&mut [0]).is_ok_and(|count| count > 0) {
        found.push("standard input".to_owned());
    }
    found.extend(std::env::args_os().map(|argument| format!("argument {}", argument.to_string_lossy())));
}

fn network(found: &mut Vec<String>) {
    if TcpStream::connect("127.0.0.1:22").is_ok() {
        found.push("a TCP connection".to_owned());
    }
    if TcpListener::bind("127.0.0.1:0").is_ok() {
        found.push("a TCP listener".to_owned());
    }
    if UdpSocket::bind("127.0.0.1:0").is_ok() {
        found.push("a UDP socket".to_owned());
    }
    if ("localhost", 22).to_socket_addrs().is_ok() {
        found.push("a name server".to_owned());
    }
}
