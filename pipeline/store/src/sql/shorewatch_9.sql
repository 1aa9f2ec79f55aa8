-- Schema version 9: the share of the ground of an earlier patch whose pixels changed since the pass that raised it; empty for
-- patches that nobody confirmed, and for follow-ups of older versions.
ALTER TABLE follow_ups ADD COLUMN changed_fraction DOUBLE;
