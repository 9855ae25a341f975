-- What the load tests of a deployment are held against, and how far they may go.
-- Empty workspace: this one. NULL: no such rule, or as the defaults have it.

CREATE TABLE load_test_rules (
    workspace TEXT NOT NULL,
    deployment TEXT NOT NULL,
    baseline_id TEXT,                        -- a load test
    p95_ms REAL,
    failure_pct REAL,
    requests_per_s REAL,
    request_budget INTEGER,
    stop_at_failure_pct REAL,
    never_stop INTEGER NOT NULL DEFAULT 0,   -- an admin has switched the stop off
    PRIMARY KEY (workspace, deployment)
) STRICT, WITHOUT ROWID;

-- What was in force when the test was asked for.
ALTER TABLE load_tests ADD COLUMN request_budget INTEGER;
ALTER TABLE load_tests ADD COLUMN stop_at_failure_pct REAL;
