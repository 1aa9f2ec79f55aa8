-- Schema version 12: the review score that a pass gives the ground of an earlier patch, held against passes from before it; empty where
-- it was held against none, and for follow-ups of older versions.
ALTER TABLE follow_ups ADD COLUMN review_score DOUBLE;
