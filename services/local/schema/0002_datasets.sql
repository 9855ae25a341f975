-- Registered data. The rows of a version are in datasets/<name>/<version>/.

CREATE TABLE datasets (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,                -- counts within its name, from 1
    created_at TEXT NOT NULL,
    source TEXT NOT NULL,                    -- for people: a file name, a path, a URL
    row_count INTEGER NOT NULL,
    column_count INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,             -- of the original file
    sha256 TEXT NOT NULL,                    -- of the original file
    description TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '{}',         -- JSON
    PRIMARY KEY (name, version)
) STRICT;
CREATE INDEX datasets_by_age ON datasets (created_at);
