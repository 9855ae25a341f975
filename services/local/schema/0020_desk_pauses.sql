-- Pauses of schedules that live elsewhere; whoever watches their workspace resumes them.

CREATE TABLE desk_pauses (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    paused_at TEXT NOT NULL,
    paused_by TEXT NOT NULL,
    until TEXT NOT NULL,
    disabled_at TEXT,                        -- NULL: not known to have been heard
    tried_at TEXT,                           -- when it was last asked to go on
    problem TEXT NOT NULL DEFAULT '',        -- why it did not
    ended_at TEXT,
    ending TEXT                              -- pauses.Ending
) STRICT;
CREATE INDEX desk_pauses_by_schedule ON desk_pauses (workspace, schedule_id, id);
CREATE UNIQUE INDEX one_pause_at_a_time ON desk_pauses (workspace, schedule_id)
    WHERE ended_at IS NULL;
