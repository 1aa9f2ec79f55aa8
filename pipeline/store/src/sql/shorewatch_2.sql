-- Schema version 2: what reviewers decided. One row a decision, only ever appended; the latest one on a patch counts.
-- `patch_id` may be that of a current or of a superseded patch. `reviewer` is a code, never a name or a telephone number.
CREATE TABLE reviews (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    corrected_class TEXT,
    reviewer TEXT NOT NULL,
    reviewed_at DATETIME NOT NULL,
    recorded_at DATETIME NOT NULL
);
CREATE INDEX reviews_patch ON reviews (patch_id);

CREATE TRIGGER reviews_are_not_changed BEFORE UPDATE ON reviews
BEGIN
    SELECT RAISE(ABORT, 'reviews are only appended: record another decision on the patch instead');
END;

CREATE TRIGGER reviews_are_not_removed BEFORE DELETE ON reviews
BEGIN
    SELECT RAISE(ABORT, 'reviews are only appended: record another decision on the patch instead');
END;
