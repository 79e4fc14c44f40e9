-- Jobs, their targets, results and events, the hosts they hold, and idempotency keys.
-- Times are milliseconds since the Unix epoch, UTC. Free-form values are JSON text.

CREATE TABLE jobs (
    -- AUTOINCREMENT: the number of a deleted job is never given out again.
    alias         INTEGER PRIMARY KEY AUTOINCREMENT,
    id            BLOB    NOT NULL UNIQUE,
    operation     TEXT    NOT NULL,
    args          TEXT    NOT NULL,
    patterns      TEXT    NOT NULL,
    requester     TEXT    NOT NULL,
    timeout_ns    INTEGER,
    on_conflict   TEXT    NOT NULL,
    hosts_at_once INTEGER,
    plugin_wanted TEXT,
    mutex         TEXT,
    state         TEXT    NOT NULL,
    error         TEXT,
    lease_owner   TEXT,
    -- The number of the last claim; stays when the lease is given up, so that tokens only grow.
    lease_token   INTEGER NOT NULL DEFAULT 0,
    lease_expires INTEGER,
    plugin        TEXT,
    submitted_at  INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    last_seq      INTEGER NOT NULL,
    -- On how many of its hosts a waiting job is not the next to have them.
    blocked       INTEGER NOT NULL DEFAULT 0,
    events_pruned INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every index on jobs ends in the alias, which is the rowid: listing newest first reads it backwards.
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_operation ON jobs (operation, state);
CREATE INDEX jobs_claimable ON jobs (alias) WHERE state = 'queued' AND blocked = 0;
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_with_events ON jobs (finished_at) WHERE finished_at IS NOT NULL AND events_pruned = 0;

CREATE TABLE targets (
    job      INTEGER NOT NULL REFERENCES jobs (alias) ON DELETE CASCADE,
    host     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    message  TEXT,
    PRIMARY KEY (job, host)
) STRICT, WITHOUT ROWID;

-- What tasks reported. Kept apart from the events, which retention removes earlier.
CREATE TABLE results (
    id         INTEGER PRIMARY KEY,
    job        INTEGER NOT NULL REFERENCES jobs (alias) ON DELETE CASCADE,
    host       TEXT,
    task       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    message    TEXT,
    -- Reported by an earlier attempt on the host, which was begun again since.
    superseded INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX results_by_host ON results (job, host);

-- The truth about what happened, numbered from 1 without gaps within a job.
CREATE TABLE events (
    job    INTEGER NOT NULL REFERENCES jobs (alias) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    host   TEXT,
    kind   TEXT    NOT NULL,
    name   TEXT,    -- the task of an output, the level of a log line, who canceled
    word   TEXT,    -- the stream of an output, the state that a host or the job ended in
    text   TEXT,    -- a message or an error
    number INTEGER, -- the attempt of a claim
    data   BLOB,    -- the bytes of an output
    result INTEGER, -- the row of results that holds a task's result, so that it is stored once
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

-- Which job has a host.
CREATE TABLE mutexes (
    mutex TEXT    NOT NULL,
    host  TEXT    NOT NULL,
    job   INTEGER NOT NULL REFERENCES jobs (alias) ON DELETE CASCADE,
    PRIMARY KEY (mutex, host)
) STRICT, WITHOUT ROWID;
CREATE INDEX mutexes_by_job ON mutexes (job);

-- Which queued jobs wait for a host, in the order in which they will have it.
CREATE TABLE waiting (
    mutex TEXT    NOT NULL,
    host  TEXT    NOT NULL,
    job   INTEGER NOT NULL REFERENCES jobs (alias) ON DELETE CASCADE,
    PRIMARY KEY (mutex, host, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_by_job ON waiting (job);

CREATE TABLE idempotency (
    requester   TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    job         INTEGER NOT NULL REFERENCES jobs (alias) ON DELETE CASCADE,
    PRIMARY KEY (requester, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_job ON idempotency (job);
