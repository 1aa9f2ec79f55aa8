-- Schema version 8: layers that were withdrawn, and whose an idle project is.

-- A withdrawal is a version of its own: it has no rows, is not in force, and tells its reason.
ALTER TABLE layer_versions ADD COLUMN withdrawn_reason TEXT;

-- Idle projects are made anew with each assessment. `chiefs` is a list of names. Personal data.
ALTER TABLE idle_projects ADD COLUMN river_code TEXT;
ALTER TABLE idle_projects ADD COLUMN reach_code TEXT;
ALTER TABLE idle_projects ADD COLUMN chiefs TEXT NOT NULL DEFAULT '[]';
