-- Load tests of deployments that live elsewhere: of which workspace; empty: this one.

ALTER TABLE load_tests ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
DROP INDEX one_load_test_at_a_time;
CREATE UNIQUE INDEX one_load_test_at_a_time ON load_tests (workspace, deployment)
    WHERE ended_at IS NULL;
