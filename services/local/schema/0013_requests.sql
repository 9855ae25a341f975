-- Requests scored from the dashboard; empty workspace: this one.

CREATE TABLE scored_requests (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    deployment TEXT NOT NULL,
    model_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    answer TEXT NOT NULL,                    -- JSON
    sent_at TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    expected TEXT,                           -- JSON list; NULL: not a golden case
    repeats TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX scored_requests_by_age ON scored_requests (workspace, sent_at);
