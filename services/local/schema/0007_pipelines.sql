-- Published pipelines, the endpoints in front of them, their runs and their schedules.

CREATE TABLE pipelines (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,                -- counts within the name, from 1
    kind TEXT NOT NULL,                      -- domain.PipelineKind
    status TEXT NOT NULL,                    -- domain.AssetStatus
    created_at TEXT NOT NULL,
    description TEXT NOT NULL,
    defaults TEXT NOT NULL,                  -- JSON: parameter → default value
    fixed TEXT NOT NULL,                     -- JSON: the settings no submission can change
    UNIQUE (name, version)
) STRICT;

CREATE TABLE pipeline_endpoints (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    description TEXT NOT NULL,
    default_version INTEGER NOT NULL
) STRICT;

CREATE TABLE pipeline_endpoint_versions (
    endpoint_id TEXT NOT NULL REFERENCES pipeline_endpoints (id),
    version INTEGER NOT NULL,                -- from 0, as on Azure
    pipeline_id TEXT NOT NULL REFERENCES pipelines (id),
    PRIMARY KEY (endpoint_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE pipeline_runs (
    id TEXT PRIMARY KEY,
    pipeline_id TEXT NOT NULL REFERENCES pipelines (id),
    experiment TEXT NOT NULL,
    status TEXT NOT NULL,                    -- domain.RunStatus; the worker's, or the duty's once it is gone
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    schedule_id TEXT,                        -- stays when the schedule is deleted
    run_source TEXT NOT NULL,                -- who submitted it: Dashboard, REST, Schedule …
    parameters TEXT NOT NULL,                -- JSON: every parameter with the value it ran with
    error TEXT NOT NULL DEFAULT '',
    cancel_requested_at TEXT,
    training_run_id TEXT,                    -- the AutoML parent it started
    model_id TEXT,                           -- what it registered, or scored with
    total_count INTEGER,                     -- rows of a batch inference
    done_count INTEGER NOT NULL DEFAULT 0,
    failed_count INTEGER NOT NULL DEFAULT 0,
    last_progress_at TEXT,
    CHECK (done_count + failed_count <= coalesce(total_count, 0))
) STRICT;
CREATE INDEX pipeline_runs_by_age ON pipeline_runs (created_at);
CREATE INDEX pipeline_runs_by_pipeline ON pipeline_runs (pipeline_id, created_at);
CREATE INDEX pipeline_runs_by_schedule ON pipeline_runs (schedule_id, created_at);
CREATE INDEX pipeline_runs_unsettled ON pipeline_runs (created_at)
    WHERE status NOT IN ('Completed', 'Failed', 'Canceled');

CREATE TABLE pipeline_steps (
    run_id TEXT NOT NULL REFERENCES pipeline_runs (id),
    position INTEGER NOT NULL,
    node_id TEXT NOT NULL,                   -- of the pipeline's graph
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, position),
    UNIQUE (run_id, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    description TEXT NOT NULL,
    experiment TEXT NOT NULL,
    pipeline_id TEXT REFERENCES pipelines (id),
    pipeline_endpoint_id TEXT REFERENCES pipeline_endpoints (id),
    parameters TEXT NOT NULL,                -- JSON: only what differs from the defaults
    recurrence TEXT NOT NULL,                -- JSON of domain.Recurrence
    anchored_at TEXT NOT NULL,               -- when the recurrence was saved
    decided_until TEXT NOT NULL,             -- due times up to here are dealt with
    next_fire_at TEXT,                       -- the first due time after it; NULL: none, or Disabled
    CHECK ((pipeline_id IS NULL) <> (pipeline_endpoint_id IS NULL))
) STRICT;
CREATE INDEX schedules_due ON schedules (next_fire_at) WHERE next_fire_at IS NOT NULL;

-- One row per due time that was dealt with.
CREATE TABLE firings (
    schedule_id TEXT NOT NULL,
    due_at TEXT NOT NULL,
    fired_at TEXT NOT NULL,
    run_id TEXT,                             -- NULL: nothing could be submitted, for the reason
    reason TEXT NOT NULL DEFAULT '',
    missed_count INTEGER NOT NULL DEFAULT 0, -- earlier due times that collapsed into this one
    PRIMARY KEY (schedule_id, due_at)
) STRICT, WITHOUT ROWID;
