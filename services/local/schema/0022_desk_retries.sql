-- Pipeline runs that live elsewhere and are submitted again when they fail.

CREATE TABLE desk_retries (
    workspace TEXT NOT NULL,
    run_id TEXT NOT NULL,                    -- that failed first
    pipeline_id TEXT NOT NULL,
    experiment TEXT NOT NULL,
    schedule_id TEXT,
    parameters TEXT NOT NULL,                -- JSON
    at_most INTEGER NOT NULL CHECK (at_most > 0),
    asked_at TEXT NOT NULL,
    submitting_at TEXT,                      -- of an attempt not known to have been heard
    ended_at TEXT,                           -- NULL: tried again if the newest attempt fails
    outcome TEXT NOT NULL DEFAULT '',        -- why it was ended, in words
    PRIMARY KEY (workspace, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX desk_retries_open ON desk_retries (workspace) WHERE ended_at IS NULL;

CREATE TABLE desk_attempts (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    run_id TEXT NOT NULL,
    retry_of TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (workspace, run_id)
) STRICT;
CREATE INDEX desk_attempts_by_first ON desk_attempts (workspace, retry_of, id);
