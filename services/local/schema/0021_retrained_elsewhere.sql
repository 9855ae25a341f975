-- Policies and decisions of workspaces that live elsewhere too; empty workspace: this one.

CREATE TABLE policies (
    workspace TEXT NOT NULL DEFAULT '',
    pipeline_id TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    deployment TEXT NOT NULL,
    model_name TEXT NOT NULL,
    warn_passes INTEGER NOT NULL,
    golden INTEGER NOT NULL,
    since TEXT NOT NULL,                     -- runs that ended earlier are not decided about
    PRIMARY KEY (workspace, pipeline_id)
) STRICT, WITHOUT ROWID;
INSERT INTO policies (pipeline_id, enabled, deployment, model_name, warn_passes, golden, since)
    SELECT pipeline_id, enabled, deployment, model_name, warn_passes, golden, since
    FROM retrain_policies;
DROP TABLE retrain_policies;
ALTER TABLE policies RENAME TO retrain_policies;

CREATE TABLE decisions (
    workspace TEXT NOT NULL DEFAULT '',
    run_id TEXT NOT NULL,
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
    replaces TEXT NOT NULL DEFAULT '',       -- the model that served when it was handed over
    handed_at TEXT,                          -- when its deployment was asked for
    ended_at TEXT,
    error TEXT NOT NULL DEFAULT '',
    attempt INTEGER NOT NULL DEFAULT 1,      -- counts on when the worker was lost
    PRIMARY KEY (workspace, run_id)
) STRICT, WITHOUT ROWID;
INSERT INTO decisions (run_id, pipeline_id, policy, state, checks, golden, model_id, begun_at,
        decided_at, answered_at, answered_by, note, ended_at, error, attempt)
    SELECT run_id, pipeline_id, policy, state, checks, golden, model_id, begun_at,
        decided_at, answered_at, answered_by, note, ended_at, error, attempt
    FROM retrain_decisions;
DROP TABLE retrain_decisions;
ALTER TABLE decisions RENAME TO retrain_decisions;
CREATE INDEX retrain_decisions_by_pipeline ON retrain_decisions (workspace, pipeline_id, begun_at);
CREATE INDEX retrain_decisions_at_work ON retrain_decisions (workspace, begun_at)
    WHERE state IN ('Deciding', 'Approved');

-- What past runs of held pipelines trained, where finding out takes many questions.
CREATE TABLE retrain_measured (
    workspace TEXT NOT NULL,
    run_id TEXT NOT NULL,
    pipeline_id TEXT NOT NULL,
    training_run_id TEXT,                    -- the AutoML run; NULL: it started none
    model_id TEXT,
    metrics TEXT NOT NULL,                   -- JSON, of its best child
    PRIMARY KEY (workspace, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX retrain_measured_by_pipeline ON retrain_measured (workspace, pipeline_id);
