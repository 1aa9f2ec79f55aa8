-- Schema version 7: findings (what a person confirmed), what has to reach the issue system, and what came back.

-- One row a place that was ever confirmed. `issue_state` is the issue system's word; `standing` is ours.
CREATE TABLE findings (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    finding_id TEXT NOT NULL UNIQUE,
    case_id TEXT,
    patch_id TEXT NOT NULL,
    standing TEXT NOT NULL,
    content TEXT,
    assessment_digest TEXT,
    revision INTEGER NOT NULL,
    occurrence INTEGER NOT NULL,
    confirmed_at DATETIME NOT NULL,
    issue_state TEXT,
    issue_state_at DATETIME,
    outcome TEXT,
    closed_at DATETIME,
    escalated_at DATETIME
);
CREATE INDEX findings_case ON findings (case_id);

-- The latest decision on each patch that a finding was ever made of; `opens` says whether it makes it one.
CREATE TABLE finding_patches (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    finding_id TEXT NOT NULL REFERENCES findings (finding_id),
    opens BOOLEAN NOT NULL,
    verdict TEXT,
    corrected TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    decided_at DATETIME NOT NULL
);
CREATE INDEX finding_patches_finding ON finding_patches (finding_id, opens);

-- What is to be told, in order: written in the transaction of what caused it, and only ever appended.
CREATE TABLE outbox_events (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    finding_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    patch_id TEXT NOT NULL,
    cause TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    hold_until DATETIME NOT NULL
);
CREATE INDEX outbox_events_finding ON outbox_events (finding_id);

CREATE TRIGGER outbox_events_are_not_changed BEFORE UPDATE ON outbox_events
BEGIN
    SELECT RAISE(ABORT, 'events are only appended');
END;

CREATE TRIGGER outbox_events_are_not_removed BEFORE DELETE ON outbox_events
BEGIN
    SELECT RAISE(ABORT, 'events are only appended');
END;

-- Targets that were ever delivered to. `last_event` is the last event that deliveries were made of.
CREATE TABLE outbox_targets (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    last_event INTEGER NOT NULL,
    disabled_reason TEXT,
    failures INTEGER NOT NULL,
    paused_until DATETIME,
    last_success_at DATETIME,
    last_error TEXT
);

-- One row an event and target. `uncertain` counts attempts of which it is not known whether the receiver took them: a row
-- without any may still be joined with a newer one. `claimed` is the token of the worker that sends it.
CREATE TABLE outbox_deliveries (
    fid INTEGER PRIMARY KEY NOT NULL,
    target TEXT NOT NULL,
    event INTEGER NOT NULL REFERENCES outbox_events (fid),
    finding_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    next_at DATETIME NOT NULL,
    claimed INTEGER,
    batch TEXT,
    status_code INTEGER,
    last_error TEXT,
    ended_at DATETIME,
    UNIQUE (target, event)
);
CREATE INDEX outbox_deliveries_due ON outbox_deliveries (target, next_at, event) WHERE state = 'waiting';
CREATE INDEX outbox_deliveries_order ON outbox_deliveries (target, finding_id, event);
CREATE INDEX outbox_deliveries_dead ON outbox_deliveries (target, event) WHERE state = 'dead';

-- The fencing token: each worker that begins takes the next number, and what an earlier one writes is refused from then on.
CREATE TABLE outbox_worker (
    fid INTEGER PRIMARY KEY NOT NULL CHECK (fid = 1),
    token INTEGER NOT NULL,
    holder TEXT NOT NULL,
    taken_at DATETIME NOT NULL,
    journal_id TEXT,
    journal_bytes INTEGER NOT NULL
);
INSERT INTO outbox_worker (fid, token, holder, taken_at, journal_bytes) VALUES (1, 0, '', '1970-01-01T00:00:00.000Z', 0);

-- What the journal beside the store says was delivered, and this store does not know of (a backup was restored).
CREATE TABLE outbox_delivered_before (
    fid INTEGER PRIMARY KEY NOT NULL,
    target TEXT NOT NULL,
    event_id TEXT NOT NULL,
    delivered_at TEXT NOT NULL,
    UNIQUE (event_id, target)
);

-- What a finding is called in the issue system.
CREATE TABLE finding_links (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    finding_id TEXT NOT NULL,
    target TEXT NOT NULL,
    external_id TEXT NOT NULL,
    polled_state TEXT,
    UNIQUE (finding_id, target)
);
CREATE INDEX finding_links_external ON finding_links (target, external_id);

-- What the issue system reported, each report once.
CREATE TABLE issue_reports (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    report_id TEXT NOT NULL,
    target TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT,
    note TEXT,
    reported_at DATETIME NOT NULL,
    received_at DATETIME NOT NULL,
    applied BOOLEAN NOT NULL,
    UNIQUE (target, report_id)
);
CREATE INDEX issue_reports_finding ON issue_reports (finding_id);

-- Places to be imaged again: a pass acquired after `since` that observes the ground answers.
CREATE TABLE reimaging (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    finding_id TEXT NOT NULL REFERENCES findings (finding_id),
    reason TEXT NOT NULL,
    since DATETIME NOT NULL,
    created_at DATETIME NOT NULL,
    answer TEXT,
    answered_by TEXT,
    answered_at DATETIME,
    UNIQUE (finding_id, reason, since)
);
CREATE INDEX reimaging_open ON reimaging (finding_id) WHERE answer IS NULL;

-- What a person has to look at: a closure that imagery contradicts or cannot judge.
CREATE TABLE review_requests (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    pass_id TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    done_at DATETIME,
    UNIQUE (finding_id, reason, pass_id)
);
CREATE INDEX review_requests_open ON review_requests (patch_id) WHERE done_at IS NULL;

-- Places that were reported by the public or by others; the next run looks at them first.
CREATE TABLE tasking_areas (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON NOT NULL,
    area_id TEXT NOT NULL UNIQUE,
    level INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    first_reported_at DATETIME NOT NULL,
    last_reported_at DATETIME NOT NULL,
    looked_at DATETIME,
    looked_by TEXT
);

CREATE TABLE tasking_reports (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    report_id TEXT NOT NULL UNIQUE,
    area_id TEXT NOT NULL REFERENCES tasking_areas (area_id),
    source TEXT NOT NULL,
    level INTEGER NOT NULL,
    note TEXT,
    reported_at DATETIME NOT NULL
);
CREATE INDEX case_events_patch ON case_events (patch_id);
