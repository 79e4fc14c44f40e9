//! Opening the file: lock, permissions, settings, schema.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::migrations;

/// How long to wait for a foreign process, such as a person's `sqlite3`, that holds the database.
const BUSY: Duration = Duration::from_secs(10);

/// How many prepared statements a connection keeps.
pub(super) const STATEMENTS: usize = 96;

/// Why the store could not be opened. Each sentence names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the file cannot be made or opened.
    #[error("{path} cannot be {verb}; check that its folder exists and belongs to the user who runs exed")]
    Unreachable {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: `created`, `opened` or `locked`.
        verb: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another server has it.
    #[error("{path} is in use by another exed server; stop that one, or give this one another file")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// It is something else than a database.
    #[error("{path} is not an SQLite database; name another file, or move this one away to begin anew")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is a database of some other program.
    #[error("{path} is an SQLite database, but not one of exed; name another file")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of exed has written it.
    #[error(
        "{path} has schema version {found}, and this exed knows versions up to {known}; run the newer exed \
         that wrote it, or restore the copy made before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// SQLite finds it damaged.
    #[error("{path} is damaged; restore it from a backup, or move it away to begin anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        #[source]
        source: rusqlite::Error,
    },
    /// The file system cannot do write-ahead logging.
    #[error("{path} cannot use write-ahead logging (SQLite chose {mode}); put it on a local file system")]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The journal mode that SQLite chose instead.
        mode: String,
    },
    /// SQLite failed otherwise.
    #[error("{path} could not be prepared while {context}")]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was being done.
        context: &'static str,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The writer's thread could not be started.
    #[error("the thread that writes {path} could not be started")]
    Thread {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The readers could not be set up.
    #[error("the readers of {path} could not be set up")]
    Readers {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: deadpool::managed::BuildError,
    },
}

/// Keeps a second server away for as long as it lives.
#[derive(Debug)]
pub(super) struct FileLock {
    _file: File,
}

/// The writer's connection, with the schema up to date, and the lock on the file.
pub(super) fn open(path: &Path) -> Result<(Connection, FileLock), OpenError> {
    make_folder(path)?;
    let lock = lock(path)?;
    make_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(explain(path, "opening it"))?;
    connection.busy_timeout(BUSY).map_err(explain(path, "setting its timeout"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    migrations::check(&connection, path)?;
    configure(&connection, path)?;
    migrations::migrate(&mut connection, path)?;
    Ok((connection, lock))
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| OpenError::Unreachable { path: folder.to_owned(), verb: "created", source }),
        Some(_) | None => Ok(()),
    }
}

/// Takes `<path>.lock` before anything else touches the database. The file stays when the server ends:
/// removing it would let two servers lock two different files of that name.
fn lock(path: &Path) -> Result<FileLock, OpenError> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let file = open_private(&lock_path)?;
    match file.try_lock() {
        Ok(()) => Ok(FileLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => {
            Err(OpenError::Unreachable { path: lock_path, verb: "locked", source })
        }
    }
}

/// Makes the database readable by nobody else; SQLite gives its log and index files the same mode.
fn make_private(path: &Path) -> Result<(), OpenError> {
    open_private(path)?
        .set_permissions(Permissions::from_mode(0o600))
        .map_err(|source| OpenError::Unreachable { path: path.to_owned(), verb: "made private", source })
}

fn open_private(path: &Path) -> Result<File, OpenError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| OpenError::Unreachable { path: path.to_owned(), verb: "opened", source })
}

fn configure(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(explain(path, "choosing its journal"))?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog { path: path.to_owned(), mode });
    }
    // The limit gives the disk back after a burst; without it the log keeps its largest size for ever.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(explain(path, "choosing its settings"))
}

/// Turns SQLite's error into one that names the file and the way out.
pub(super) fn explain(path: &Path, context: &'static str) -> impl FnOnce(rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    move |source| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, source },
        Some(_) | None => OpenError::Failed { path, context, source },
    }
}
