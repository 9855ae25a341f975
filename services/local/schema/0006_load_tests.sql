-- Load tests: what was asked for, how far it has come, and what was measured.

CREATE TABLE load_tests (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    imported INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    -- the plan; NULL for an imported report
    deployment TEXT,
    payload TEXT,
    payload_sha256 TEXT,
    requests INTEGER,
    seconds INTEGER,
    concurrency INTEGER,
    keep_alive INTEGER,
    timeout_s INTEGER,
    -- the deployment as it was when the test was asked for
    model_id TEXT,
    settings TEXT NOT NULL DEFAULT '{}',   -- JSON
    stop_asked_at TEXT,
    -- written by the worker
    started_at TEXT,
    done_count INTEGER NOT NULL DEFAULT 0,
    ended_at TEXT,
    outcome TEXT,                          -- Completed, Stopped or Failed, once it has ended
    error TEXT NOT NULL DEFAULT '',
    report TEXT,                           -- JSON
    answers TEXT,                          -- JSON
    warnings TEXT NOT NULL DEFAULT '[]'    -- JSON
) STRICT;
CREATE INDEX load_tests_by_age ON load_tests (created_at);
-- Two tests of one deployment would measure each other.
CREATE UNIQUE INDEX one_load_test_at_a_time ON load_tests (deployment) WHERE ended_at IS NULL;
