-- The run every other run of its experiment is held against; empty workspace: this one.

CREATE TABLE baselines (
    workspace TEXT NOT NULL,
    experiment TEXT NOT NULL,
    run_id TEXT NOT NULL,                    -- a run of that experiment, child runs too
    pinned_at TEXT NOT NULL,
    PRIMARY KEY (workspace, experiment)
) STRICT, WITHOUT ROWID;
