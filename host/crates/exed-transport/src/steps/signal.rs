//! Names of signals, by the numbers that Linux gives them on most machines.

use exed_domain::step::ExitStatus;

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The name without `SIG`; the number itself for those that have none.
pub(crate) fn name(number: i32) -> String {
    usize::try_from(number - 1)
        .ok()
        .and_then(|index| NAMES.get(index))
        .map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// The status that a shell reports as `code`; above 128 it may stand for a signal.
pub(crate) fn of_shell(code: i32, signaled: bool) -> ExitStatus {
    if signaled && code > 128 {
        return ExitStatus::Signal(name(code - 128));
    }
    ExitStatus::Code(code)
}
