-- Experiments, their runs, and the models registered from them.

CREATE TABLE experiments (
    name TEXT PRIMARY KEY,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,                     -- AutoML_<guid>; a child adds _<iteration>
    experiment TEXT NOT NULL REFERENCES experiments (name),
    number INTEGER NOT NULL,                 -- counts within its experiment, from 1
    kind TEXT NOT NULL,                      -- domain.RunKind
    display_name TEXT NOT NULL,
    status TEXT NOT NULL,                    -- Azure's word; the worker's, or the duty's once it is gone
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    parent_id TEXT REFERENCES runs (id),
    position INTEGER,                        -- a child's iteration, from 0
    primary_metric TEXT,
    score REAL,                              -- what candidates are ranked by; NULL until known
    best_child_id TEXT,
    error TEXT NOT NULL DEFAULT '',
    dataset_id TEXT,                         -- name:version
    settings TEXT,                           -- JSON of domain.AutoMLSettings, parents only
    cancel_requested_at TEXT,
    properties TEXT NOT NULL DEFAULT '{}',   -- JSON, Azure's names
    tags TEXT NOT NULL DEFAULT '{}',         -- JSON
    UNIQUE (experiment, number),
    UNIQUE (parent_id, position)
) STRICT;
CREATE INDEX runs_by_age ON runs (parent_id, created_at);
CREATE INDEX runs_unsettled ON runs (kind, created_at)
    WHERE status NOT IN ('Completed', 'Failed', 'Canceled');

CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs (id),
    name TEXT NOT NULL,                      -- Azure's name
    value REAL NOT NULL,
    PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

-- The files of a version are in models/<name>/<version>/.
CREATE TABLE models (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    run_id TEXT,
    experiment TEXT,
    dataset_id TEXT,
    algorithm TEXT NOT NULL DEFAULT '',
    framework TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    size_bytes INTEGER,
    tags TEXT NOT NULL DEFAULT '{}',         -- JSON
    properties TEXT NOT NULL DEFAULT '{}',   -- JSON
    PRIMARY KEY (name, version)
) STRICT;
