//! Queries that must not slow down as jobs pile up.

use rusqlite::Connection;

use super::super::{claim, prune, query};

fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = statement.parameter_count();
    let values = vec![1_i64; parameters];
    let rows =
        statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    rows.map(|row| row.unwrap()).collect::<Vec<_>>().join("; ")
}

#[test]
fn hot_queries_search_an_index_and_sort_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, _lock) = super::super::open::open(&folder.path().join("exed.db")).unwrap();
    let expected = [
        (query::PAGE, "USING INTEGER PRIMARY KEY"),
        (query::PAGE_OF_STATE, "INDEX jobs_by_state"),
        (query::PAGE_OF_OPERATION, "INDEX jobs_by_operation"),
        (claim::STARTABLE, "INDEX jobs_claimable"),
        (prune::OLD_JOBS, "INDEX jobs_ended"),
        (prune::OLD_EVENTS, "INDEX jobs_with_events"),
        ("SELECT count(*) FROM jobs WHERE state = ?1", "INDEX jobs_by_state"),
        ("DELETE FROM events WHERE job = ?1", "PRIMARY KEY"),
    ];
    for (sql, index) in expected {
        let plan = plan(&connection, sql);
        assert!(plan.contains(index), "{sql}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
    // The few that run are sorted; the many that do not are never looked at.
    let abandoned = plan(&connection, claim::ABANDONED);
    assert!(abandoned.contains("SEARCH jobs USING INDEX jobs_by_state (state=?)"), "{abandoned}");
}
