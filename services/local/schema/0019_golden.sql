-- What golden sets said of models. `workspace` is empty for this one; another value tells
-- apart what is kept for workspaces that live elsewhere.

CREATE TABLE golden_verdicts (
    id INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL DEFAULT '',
    deployment TEXT NOT NULL,
    model_id TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at TEXT NOT NULL,
    case_count INTEGER NOT NULL,
    wrong TEXT NOT NULL,                     -- JSON list of sentences
    cases TEXT NOT NULL                      -- a fingerprint of what was asked
) STRICT;
CREATE INDEX golden_verdicts_by_deployment ON golden_verdicts (workspace, deployment, id);

-- The model that somebody wants served whatever its golden cases say; gone once it serves.
ALTER TABLE deployments ADD COLUMN golden_overruled TEXT;
