-- Guided key rotations; empty workspace: this one.

CREATE TABLE rotations (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    deployment TEXT NOT NULL,
    step TEXT NOT NULL,
    started_at TEXT NOT NULL,
    step_at TEXT NOT NULL,
    asked_at TEXT,
    problem TEXT NOT NULL DEFAULT '',
    ended_at TEXT,
    salt TEXT NOT NULL,
    before TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX one_rotation_at_a_time ON rotations (workspace, deployment)
    WHERE ended_at IS NULL;
