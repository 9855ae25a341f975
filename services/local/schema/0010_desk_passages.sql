-- What was asked of deployments that live elsewhere, and how it ended.

CREATE TABLE desk_passages (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    deployment TEXT NOT NULL,
    scope TEXT NOT NULL,                     -- passages.Scope
    kind TEXT NOT NULL,                      -- create, update model, regenerate Primary key …
    wanted TEXT NOT NULL DEFAULT '{}',       -- JSON
    started_at TEXT NOT NULL,
    accepted_at TEXT,                        -- NULL: still being handed over
    operation TEXT,                          -- the other side's id for it
    ended_at TEXT,
    outcome TEXT,                            -- domain.DeploymentState
    error TEXT NOT NULL DEFAULT '',
    withdrawn INTEGER NOT NULL DEFAULT 0,    -- deleted before it was accepted
    forgotten INTEGER NOT NULL DEFAULT 0     -- of a deployment that was deleted: history only
) STRICT;
CREATE INDEX desk_passages_by_deployment ON desk_passages (workspace, deployment, id);
CREATE UNIQUE INDEX one_passage_at_a_time ON desk_passages (workspace, deployment, scope)
    WHERE ended_at IS NULL;
