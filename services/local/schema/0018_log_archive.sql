-- What was read of deployments' logs over time. `workspace` is empty for this one; another
-- value tells apart what is kept for workspaces that live elsewhere.

CREATE TABLE log_archive (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL DEFAULT '',
    deployment TEXT NOT NULL,
    read_at TEXT NOT NULL,
    gap INTEGER NOT NULL,            -- 1: lines are missing here, and text is empty
    text TEXT NOT NULL
) STRICT;
CREATE INDEX log_archive_deployment ON log_archive (workspace, deployment, id);
CREATE INDEX log_archive_gaps ON log_archive (workspace, deployment, id) WHERE gap;
