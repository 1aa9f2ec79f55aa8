-- Schema version 3: what told a patch apart from what happens by itself. Empty for patches of older versions.
ALTER TABLE patches ADD COLUMN review_score DOUBLE;
ALTER TABLE patches ADD COLUMN change_score DOUBLE;
ALTER TABLE patches ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}';
ALTER TABLE patches ADD COLUMN coreg_rmse_px DOUBLE;
ALTER TABLE patches_superseded ADD COLUMN review_score DOUBLE;
ALTER TABLE patches_superseded ADD COLUMN change_score DOUBLE;
ALTER TABLE patches_superseded ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}';
ALTER TABLE patches_superseded ADD COLUMN coreg_rmse_px DOUBLE;
