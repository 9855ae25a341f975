-- Searches for how many requests at a time a deployment holds; each step is a load test.
-- Empty workspace: this one.

CREATE TABLE capacity_searches (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    deployment TEXT NOT NULL,
    created_at TEXT NOT NULL,
    payload TEXT NOT NULL,
    p95_ms REAL,
    failure_pct REAL,
    request_budget INTEGER NOT NULL,         -- of all steps together
    step_requests INTEGER NOT NULL,          -- at least, in each step
    most INTEGER NOT NULL,                   -- requests at a time
    stop_at_failure_pct REAL,
    -- the deployment as it was when the search was asked for
    model_id TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}',     -- JSON
    stop_asked_at TEXT,
    ended_at TEXT,
    outcome TEXT,                            -- domain.LoadTestState, once it has ended
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX capacity_searches_by_age ON capacity_searches (workspace, created_at);
CREATE UNIQUE INDEX one_capacity_search_at_a_time ON capacity_searches (workspace, deployment)
    WHERE ended_at IS NULL;

ALTER TABLE load_tests ADD COLUMN search_id TEXT;  -- the search it is a step of
CREATE INDEX load_tests_by_search ON load_tests (search_id) WHERE search_id IS NOT NULL;
