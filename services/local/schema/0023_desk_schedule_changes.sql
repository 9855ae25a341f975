-- Changes of schedules that live elsewhere, made from here; times are those of the other side.

CREATE TABLE desk_schedule_changes (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    was_changed_at TEXT NOT NULL,            -- as it was found
    changed_at TEXT NOT NULL,
    was_active INTEGER NOT NULL,
    same_recurrence INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_schedule_changes_by_workspace ON desk_schedule_changes (workspace, id);
