-- Schema version 3: what told a patch apart from what happens by itself (empty for patches of older versions), and cases.
ALTER TABLE patches ADD COLUMN review_score DOUBLE;
ALTER TABLE patches ADD COLUMN change_score DOUBLE;
ALTER TABLE patches ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}';
ALTER TABLE patches ADD COLUMN coreg_rmse_px DOUBLE;
ALTER TABLE patches_superseded ADD COLUMN review_score DOUBLE;
ALTER TABLE patches_superseded ADD COLUMN change_score DOUBLE;
ALTER TABLE patches_superseded ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}';
ALTER TABLE patches_superseded ADD COLUMN coreg_rmse_px DOUBLE;

-- What a pass shows of the ground of patches of earlier passes; `present_fraction` is empty where it can't be told. Rows of
-- a publication that was superseded stay with it and do not count, like its observations. The patch may be gone since.
CREATE TABLE follow_ups (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    patch_id TEXT NOT NULL,
    observed_fraction DOUBLE NOT NULL,
    present_fraction DOUBLE,
    UNIQUE (publication_id, patch_id)
);

-- Places of current publications that were kept back; they go with their publication.
CREATE TABLE patches_suppressed (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    post_date DATETIME NOT NULL,
    reach_id TEXT NOT NULL,
    change_type TEXT NOT NULL,
    reason TEXT NOT NULL,
    area_m2 DOUBLE NOT NULL,
    confidence DOUBLE NOT NULL,
    review_score DOUBLE
);
CREATE INDEX patches_suppressed_publication ON patches_suppressed (publication_id);

-- Cases and their events follow from the patches and follow-ups of current publications, and are made anew from them.
CREATE TABLE cases (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON NOT NULL,
    case_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    urgent BOOLEAN NOT NULL,
    object_class TEXT NOT NULL,
    suspected_issue_class TEXT NOT NULL,
    issue_term TEXT NOT NULL,
    reach_id TEXT NOT NULL,
    reach_name TEXT NOT NULL,
    area_m2 DOUBLE NOT NULL,
    first_seen DATETIME NOT NULL,
    last_seen DATETIME NOT NULL,
    last_observed DATETIME,
    review_score DOUBLE,
    patch_count INTEGER NOT NULL,
    parents TEXT NOT NULL,
    last_event TEXT NOT NULL
);

CREATE TABLE case_events (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    case_id TEXT NOT NULL REFERENCES cases (case_id),
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    date DATETIME NOT NULL,
    event TEXT NOT NULL,
    area_m2 DOUBLE,
    review_score DOUBLE,
    observed_fraction DOUBLE,
    patch_id TEXT,
    UNIQUE (case_id, pass_id)
);
