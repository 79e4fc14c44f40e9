//! Jobs on real hosts: through the HTTP API, a durable job, a plugin and the transport; and the same
//! commands by OpenSSH and by a bare client.

use tests::fleet::{Fleet, FleetOptions};

use crate::asyncssh::Asyncssh;
use crate::clock::Samples;
use crate::idle;
use crate::openssh::{Mode, OpenSsh};
use crate::options::Options;
use crate::report::{Report, Row};
use crate::server::{Call, Exed};

/// The script that the operation `facter` runs.
const FACTS: &str = include_str!("../../../plugins/remote-shell/scripts/facts.sh");

/// One operation of exed, and the command that does the same for everybody else.
struct Work {
    name: &'static str,
    call: Call,
    remote: String,
}

fn works() -> [Work; 3] {
    [
        Work { name: "ping", call: Call { path: "ping", query: "" }, remote: "true".to_owned() },
        Work {
            name: "execute",
            call: Call { path: "execute", query: "&cmd=uname%20-n" },
            remote: "uname -n".to_owned(),
        },
        Work {
            name: "facts",
            call: Call { path: "facter", query: "" },
            remote: format!("exec /bin/sh -c '{}'", FACTS.replace('\'', r"'\''")),
        },
    ]
}

/// Measures every size on one fleet.
pub(crate) fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let largest = options.sizes.iter().copied().max().unwrap_or(0);
    let fleet = Fleet::start_blocking(largest, &FleetOptions::default())?;
    let mut exed = Exed::start(&fleet)?;
    for &hosts in &options.sizes {
        for work in works() {
            cold(options, report, &fleet, &mut exed, hosts, &work)?;
            warm(options, report, &fleet, &exed, hosts, &work)?;
        }
    }
    idle::measure(report, &fleet, &mut exed, largest)?;
    drop(exed);
    fleet.stop()
}

/// Without any connection: a fresh server process, a fresh `ssh` per host, a fresh asyncssh client.
fn cold(
    options: &Options,
    report: &mut Report,
    fleet: &Fleet,
    exed: &mut Exed,
    hosts: usize,
    work: &Work,
) -> anyhow::Result<()> {
    let openssh = OpenSsh::new(fleet, hosts)?;
    let python = options.python.clone();
    let asyncssh = python.map(|python| Asyncssh::new(python, fleet, hosts));
    let (mut ours, mut ssh, mut bare) = (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..options.rounds {
        exed.restart()?;
        ours.push(exed.call(&work.call, fleet, hosts)?);
        ssh.push(openssh.run(Mode::Fresh, &work.remote)?);
        if let Some(asyncssh) = &asyncssh {
            bare.push(asyncssh.run(&work.remote)?);
        }
    }
    let what = format!("{}, cold", work.name);
    let row = |against: &str, theirs: &Samples| Row {
        what: what.clone(),
        size: format!("{hosts} hosts"),
        ours: ours.figure(),
        against: against.to_owned(),
        theirs: theirs.figure(),
    };
    report.add(row("ssh", &ssh));
    if !bare.is_empty() {
        report.add(row("asyncssh", &bare));
    }
    Ok(())
}

/// Over connections that are open: exed's own, and one ControlMaster per host.
fn warm(
    options: &Options,
    report: &mut Report,
    fleet: &Fleet,
    exed: &Exed,
    hosts: usize,
    work: &Work,
) -> anyhow::Result<()> {
    let mut openssh = OpenSsh::new(fleet, hosts)?;
    openssh.connect()?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    exed.call(&work.call, fleet, hosts)?;
    openssh.run(Mode::ControlMaster, &work.remote)?;
    for _ in 0..options.rounds {
        ours.push(exed.call(&work.call, fleet, hosts)?);
        theirs.push(openssh.run(Mode::ControlMaster, &work.remote)?);
    }
    report.add(Row {
        what: format!("{}, warm", work.name),
        size: format!("{hosts} hosts"),
        ours: ours.figure(),
        against: "ssh, ControlMaster".to_owned(),
        theirs: theirs.figure(),
    });
    Ok(())
}
