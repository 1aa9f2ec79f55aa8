-- Schema version 6 of the Shorewatch store: decisions of reviewers, accounts and leases.

-- One row a decision, or a decision taken back (without a verdict). Only ever appended.
CREATE TABLE decisions (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    decision_id TEXT NOT NULL UNIQUE,
    patch_id TEXT NOT NULL,
    case_id TEXT,
    verdict TEXT,
    reason TEXT,
    note TEXT NOT NULL,
    corrected_issue_class TEXT,
    corrected_sub_type TEXT,
    corrected_severity TEXT,
    corrected_geometry BLOB,
    duplicate_of TEXT,
    reviewer TEXT NOT NULL,
    decided_at DATETIME NOT NULL,
    on_version INTEGER NOT NULL,
    seconds DOUBLE,
    source TEXT NOT NULL,
    recorded_at DATETIME NOT NULL
);
CREATE INDEX decisions_patch ON decisions (patch_id, fid);
CREATE INDEX decisions_reviewer ON decisions (reviewer, fid);

CREATE TRIGGER decisions_are_not_changed BEFORE UPDATE ON decisions
BEGIN
    SELECT RAISE(ABORT, 'decisions are only appended: take it back, or decide again');
END;

CREATE TRIGGER decisions_are_not_removed BEFORE DELETE ON decisions
BEGIN
    SELECT RAISE(ABORT, 'decisions are only appended: take it back, or decide again');
END;

-- What the decisions on a patch add up to. Outlines and classes are those that the decision that counts corrected.
CREATE TABLE decision_state (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT,
    decision_id TEXT,
    reviewer TEXT,
    reviewers TEXT NOT NULL,
    decided_at DATETIME,
    held_until DATETIME,
    issue_class TEXT,
    sub_type TEXT,
    severity TEXT,
    geometry BLOB
);
CREATE INDEX decision_state_decided ON decision_state (state, decided_at);

-- Who looks at a patch now. A row whose time has passed holds nothing.
CREATE TABLE review_leases (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    taken_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL
);
CREATE INDEX review_leases_account ON review_leases (account);

-- Accounts by code, never by name or telephone number. Passwords are kept as argon2id hashes only.
CREATE TABLE accounts (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    one_time BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    failures INTEGER NOT NULL,
    locked_until DATETIME,
    created_at DATETIME NOT NULL
);

-- Sessions of browsers and tokens of machines: digests of random values, never the values.
CREATE TABLE review_sessions (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    token_digest TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES accounts (account),
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    last_seen DATETIME NOT NULL,
    expires_at DATETIME NOT NULL
);
CREATE INDEX review_sessions_account ON review_sessions (account);

-- What was done with accounts and access: who, when, what. Only ever appended.
CREATE TABLE access_log (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at DATETIME NOT NULL,
    account TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TRIGGER access_log_is_not_changed BEFORE UPDATE ON access_log
BEGIN
    SELECT RAISE(ABORT, 'the log of access is only appended');
END;

CREATE TRIGGER access_log_is_not_shortened BEFORE DELETE ON access_log
BEGIN
    SELECT RAISE(ABORT, 'the log of access is only appended');
END;

-- Photographs of field checks; the file lies beside the store.
CREATE TABLE field_photos (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    photo_id TEXT NOT NULL UNIQUE,
    patch_id TEXT NOT NULL,
    account TEXT NOT NULL,
    file TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    taken_at TEXT,
    longitude DOUBLE,
    latitude DOUBLE,
    added_at DATETIME NOT NULL
);
CREATE INDEX field_photos_patch ON field_photos (patch_id);

-- The queue: what patches, assessments and decisions say, in the order in which patches are looked at. Kept by the triggers
-- below, whoever writes; it can be made anew from these tables at any time.
CREATE TABLE review_queue (
    fid INTEGER PRIMARY KEY NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    waiting BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    shown BOOLEAN NOT NULL,
    priority DOUBLE NOT NULL,
    issue_class TEXT NOT NULL,
    severity TEXT,
    reach_id TEXT NOT NULL,
    river_code TEXT,
    adcd TEXT,
    city TEXT,
    county TEXT,
    sensor TEXT NOT NULL,
    post_date DATETIME NOT NULL,
    post_pass_id TEXT NOT NULL,
    verdict TEXT
);
-- the columns behind `fid` let a filter be checked without the row
CREATE INDEX review_queue_order ON review_queue (waiting, priority DESC, fid);
CREATE INDEX review_queue_class ON review_queue (waiting, issue_class, priority DESC, fid, severity, reach_id, city, county);
CREATE INDEX review_queue_severity ON review_queue (waiting, severity, priority DESC, fid, issue_class, reach_id, city, county);
CREATE INDEX review_queue_reach ON review_queue (waiting, reach_id, priority DESC, fid, issue_class, severity, city, county);
CREATE INDEX review_queue_county ON review_queue (waiting, county, priority DESC, fid);
CREATE INDEX review_queue_city ON review_queue (waiting, city, priority DESC, fid);
CREATE INDEX review_queue_sensor ON review_queue (waiting, sensor, priority DESC, fid);
CREATE INDEX review_queue_pass ON review_queue (post_pass_id, waiting);
CREATE INDEX review_queue_date ON review_queue (waiting, post_date);
