-- What the workspace notices by itself and whom it tells. `workspace` is empty for this one;
-- another value tells apart what is kept for workspaces that live elsewhere.

CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL DEFAULT '',
    rule TEXT NOT NULL,
    cause TEXT NOT NULL,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    page TEXT NOT NULL,
    address TEXT NOT NULL,           -- JSON
    since TEXT,
    opened_at TEXT NOT NULL,
    resolved_at TEXT,
    resolution TEXT NOT NULL DEFAULT '',
    acknowledged_at TEXT,
    acknowledged_by TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    silenced_until TEXT
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (workspace, cause) WHERE resolved_at IS NULL;
CREATE INDEX incidents_resolved ON incidents (workspace, resolved_at);

CREATE TABLE alert_rules (
    workspace TEXT NOT NULL DEFAULT '',
    key TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    severity TEXT NOT NULL,
    parameters TEXT NOT NULL,        -- JSON: name → value
    PRIMARY KEY (workspace, key)
) STRICT, WITHOUT ROWID;

-- The secret of a channel is a file of its own that only the owner may read.
CREATE TABLE alert_channels (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    settings TEXT NOT NULL           -- JSON, without the secret
) STRICT;

-- Written in the transaction that opens or resolves the incident, so that none is forgotten.
CREATE TABLE alert_messages (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL DEFAULT '',
    channel_id TEXT NOT NULL REFERENCES alert_channels (id) ON DELETE CASCADE,
    incident_id TEXT,                -- NULL: a test
    event TEXT NOT NULL,             -- records.Event
    created_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_at TEXT,
    gave_up_at TEXT,
    error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX alert_messages_once ON alert_messages (incident_id, channel_id, event)
    WHERE incident_id IS NOT NULL;
CREATE INDEX alert_messages_due ON alert_messages (due_at)
    WHERE sent_at IS NULL AND gave_up_at IS NULL;

CREATE TABLE metric_bands (
    workspace TEXT NOT NULL DEFAULT '',
    experiment TEXT NOT NULL,
    metric TEXT NOT NULL,
    fail_below REAL,
    warn_below REAL,
    warn_above REAL,
    fail_above REAL,
    PRIMARY KEY (workspace, experiment, metric)
) STRICT, WITHOUT ROWID;

-- One row per metric of a run that ended, with the band that was in force.
CREATE TABLE band_checks (
    workspace TEXT NOT NULL DEFAULT '',
    run_id TEXT NOT NULL,
    experiment TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    verdict TEXT NOT NULL,           -- records.Verdict
    fail_below REAL,
    warn_below REAL,
    warn_above REAL,
    fail_above REAL,
    at TEXT NOT NULL,
    PRIMARY KEY (workspace, run_id, metric)
) STRICT, WITHOUT ROWID;
CREATE INDEX band_checks_by_experiment ON band_checks (workspace, experiment, at);

CREATE TABLE probes (
    workspace TEXT NOT NULL DEFAULT '',
    deployment TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    interval_s INTEGER NOT NULL,
    payload TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (workspace, deployment)
) STRICT, WITHOUT ROWID;

CREATE TABLE probe_results (
    workspace TEXT NOT NULL DEFAULT '',
    deployment TEXT NOT NULL,
    at TEXT NOT NULL,
    ok INTEGER NOT NULL,
    root_ok INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL,
    PRIMARY KEY (workspace, deployment, at)
) STRICT, WITHOUT ROWID;
