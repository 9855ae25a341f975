-- Which retraining pipelines are held before they deploy, and what was decided about each run.

CREATE TABLE retrain_policies (
    pipeline_id TEXT PRIMARY KEY REFERENCES pipelines (id),
    enabled INTEGER NOT NULL,
    deployment TEXT NOT NULL,
    model_name TEXT NOT NULL,
    warn_passes INTEGER NOT NULL,
    golden INTEGER NOT NULL,
    since TEXT NOT NULL                      -- runs that ended earlier are not decided about
) STRICT, WITHOUT ROWID;

CREATE TABLE retrain_decisions (
    run_id TEXT PRIMARY KEY REFERENCES pipeline_runs (id),
    pipeline_id TEXT NOT NULL,
    policy TEXT NOT NULL,                    -- JSON, as it was when the run ended
    state TEXT NOT NULL,                     -- retraining_policy.DecisionState
    checks TEXT NOT NULL DEFAULT '[]',       -- JSON: name, mark and reason of each
    golden TEXT,                             -- JSON: what the golden set said
    model_id TEXT,
    begun_at TEXT NOT NULL,
    decided_at TEXT,
    answered_at TEXT,
    answered_by TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    ended_at TEXT,
    error TEXT NOT NULL DEFAULT '',
    attempt INTEGER NOT NULL DEFAULT 1       -- counts on when the worker was lost
) STRICT, WITHOUT ROWID;
CREATE INDEX retrain_decisions_by_pipeline ON retrain_decisions (pipeline_id, begun_at);
CREATE INDEX retrain_decisions_at_work ON retrain_decisions (begun_at)
    WHERE state IN ('Deciding', 'Approved');
