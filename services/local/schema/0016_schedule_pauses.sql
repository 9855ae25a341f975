-- Schedules that are paused until a time, and runs that are submitted again when they fail.

CREATE TABLE schedule_pauses (
    schedule_id TEXT PRIMARY KEY REFERENCES schedules (id),
    reason TEXT NOT NULL,
    paused_at TEXT NOT NULL,
    paused_by TEXT NOT NULL,
    until TEXT NOT NULL                      -- Active again from here on
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_pauses_due ON schedule_pauses (until);

ALTER TABLE pipeline_runs ADD COLUMN retry_of TEXT; -- the failed run it repeats
CREATE INDEX pipeline_runs_by_retry ON pipeline_runs (retry_of) WHERE retry_of IS NOT NULL;

CREATE TABLE pipeline_retries (
    run_id TEXT PRIMARY KEY REFERENCES pipeline_runs (id), -- that failed first
    at_most INTEGER NOT NULL CHECK (at_most > 0),
    asked_at TEXT NOT NULL,
    ended_at TEXT,                           -- NULL: tried again if the newest attempt fails
    outcome TEXT NOT NULL DEFAULT ''         -- why it was ended, in words
) STRICT, WITHOUT ROWID;
CREATE INDEX pipeline_retries_open ON pipeline_retries (run_id) WHERE ended_at IS NULL;
