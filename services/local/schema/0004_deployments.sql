-- Deployments: what was decided about each, and what its server said of itself.

CREATE TABLE deployments (
    name TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,               -- tells it from an earlier one of the same name
    generation INTEGER NOT NULL DEFAULT 1,   -- counts the decisions the server has to take up
    model_id TEXT NOT NULL,                  -- name:version
    auth_enabled INTEGER NOT NULL,
    telemetry_enabled INTEGER NOT NULL,
    cpu_cores REAL NOT NULL,
    memory_gb REAL NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    primary_key TEXT NOT NULL,
    secondary_key TEXT NOT NULL,
    primary_key_at TEXT NOT NULL,
    secondary_key_at TEXT NOT NULL,
    next_primary_key TEXT,                   -- decided, not yet what the server accepts
    next_secondary_key TEXT,

    port INTEGER,                            -- its address, kept across restarts
    served_generation INTEGER,               -- the decisions it serves by
    served_model_id TEXT,
    served_telemetry INTEGER,
    served_core TEXT,                        -- JSON: how it scores, and what the parity gate measured
    served_at TEXT,                          -- since when
    served_pid INTEGER,                      -- by which process
    served_started_at REAL,

    failed_at TEXT,                          -- it is given up; the next update tries again
    error TEXT NOT NULL DEFAULT ''           -- of the failure, or of an update that was taken back
) STRICT;

-- Passages through Transitioning. Kept when the deployment is deleted: they say what is usual.
CREATE TABLE deployment_transitions (
    id INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL,
    kind TEXT NOT NULL,                      -- create, update model, update telemetry
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT                             -- domain.DeploymentState
) STRICT;
CREATE INDEX deployment_transitions_by_name ON deployment_transitions (deployment, id);

-- Keys for one purpose and a short time, such as a load test, whose command line others can read.
CREATE TABLE temporary_keys (
    sha256 TEXT PRIMARY KEY,
    deployment TEXT NOT NULL REFERENCES deployments (name) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
