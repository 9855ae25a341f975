-- What concerns the workspace as a whole.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row per program the supervisor keeps or kept; it alone writes here.
CREATE TABLE processes (
    key TEXT PRIMARY KEY,            -- "deployment/bank"
    generation TEXT NOT NULL,        -- of the program that was started
    pid INTEGER,
    pid_started_at REAL,             -- seconds since the epoch; with pid it names one process
    spawned_at TEXT NOT NULL,
    exited_at TEXT,
    exit_code INTEGER,
    restart_count INTEGER NOT NULL DEFAULT 0,
    restart_at TEXT,                 -- when a crashed program is tried again
    answering INTEGER,               -- last health probe: 1, 0, or NULL before the first
    answered_at TEXT,                -- the last probe that was answered
    probed_at TEXT
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,            -- JSON
    after TEXT NOT NULL              -- JSON
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE TABLE flow_steps (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    started_at TEXT,
    ended_at TEXT,
    result_id TEXT NOT NULL DEFAULT ''
) STRICT;
