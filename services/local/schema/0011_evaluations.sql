-- What models' predictions on rows they have not learnt from say; inputs never change, so it stays true.

CREATE TABLE evaluations (
    id TEXT PRIMARY KEY,                     -- names the question: the same one is asked once
    model_id TEXT NOT NULL,
    against TEXT,                            -- the model it is held against
    dataset_id TEXT,                         -- NULL: the rows its own training held out
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    error TEXT NOT NULL DEFAULT '',
    result TEXT                              -- JSON; NULL until it completed
) STRICT;
CREATE INDEX evaluations_unsettled ON evaluations (created_at) WHERE ended_at IS NULL;
