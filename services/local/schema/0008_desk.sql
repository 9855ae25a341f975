-- What the dashboard keeps itself for a workspace that lives elsewhere; empty: this one.

ALTER TABLE audit ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
