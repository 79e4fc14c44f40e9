//! Jobs made durable per second, against bare SQLite commits with the same settings on the same disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use exed_domain::job::{JobOptions, NewJob};
use exed_domain::ports::JobStore;
use exed_domain::ports::store::Submission;
use exed_domain::{HostName, JobId, Timestamp};
use exed_store::sqlite::{SqliteOptions, SqliteStore};

use crate::clock::median;
use crate::report::{Figure, Report, Row};

/// Both sides take turns this often, because a shared disk changes its speed.
const ROUNDS: usize = 5;
const FOR: Duration = Duration::from_secs(1);

/// Measures with 1, 16 and 64 submitters.
pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("exed-bench-").tempdir_in(".")?;
    for submitters in [1, 16, 64] {
        let store =
            SqliteStore::open(SqliteOptions::new(folder.path().join(format!("exed-{submitters}.db"))))?;
        let store = Arc::new(store);
        let (mut bare_rates, mut our_rates) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            bare_rates.push(bare(&folder.path().join(format!("bare-{submitters}-{round}.db")))?);
            our_rates.push(ours(Arc::clone(&store), submitters).await?);
        }
        let (ours, bare) = (median(&mut our_rates), median(&mut bare_rates));
        report.add(Row {
            what: "durable submissions".to_owned(),
            size: format!("{submitters} at once"),
            ours: Figure { value: ours, unit: "/s", cpu: None },
            against: "bare SQLite commits".to_owned(),
            theirs: Figure { value: bare, unit: "/s", cpu: None },
        });
    }
    Ok(())
}

/// One row per commit, one writer: what the disk gives.
fn bare(path: &std::path::Path) -> anyhow::Result<f64> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE job (id TEXT PRIMARY KEY, args TEXT);",
    )?;
    let mut insert = connection.prepare("INSERT INTO job VALUES (?1, ?2)")?;
    let start = Instant::now();
    let mut commits = 0_u32;
    while start.elapsed() < FOR {
        insert.execute((JobId::new().to_string(), r#"{"command":"true"}"#))?;
        commits += 1;
    }
    Ok(f64::from(commits) / start.elapsed().as_secs_f64())
}

async fn ours(store: Arc<SqliteStore>, submitters: usize) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..submitters {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut stored = 0_u32;
            while start.elapsed() < FOR {
                let submission = store.submit(job()).await?;
                anyhow::ensure!(matches!(submission, Submission::Created(_)), "a new job is created");
                stored += 1;
            }
            Ok(stored)
        });
    }
    let mut stored = 0;
    while let Some(task) = tasks.join_next().await {
        stored += task??;
    }
    Ok(f64::from(stored) / start.elapsed().as_secs_f64())
}

fn job() -> NewJob {
    NewJob {
        id: JobId::new(),
        operation: "ping".to_owned(),
        args: serde_json::json!({}),
        patterns: vec!["host01".to_owned()],
        hosts: vec![HostName::from("host01")],
        requester: "bench".to_owned(),
        options: JobOptions::default(),
        mutex: None,
        idempotency: None,
        submitted_at: Timestamp(1),
    }
}
