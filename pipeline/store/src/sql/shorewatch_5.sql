-- Schema version 5 of the Shorewatch store: what layers and rules say of each current patch. A value is NULL where no layer tells.
-- chief_* are names of officials: personal data, never in a public extract.
CREATE TABLE assessments (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    number TEXT UNIQUE,
    detected_on TEXT,
    issue_class TEXT,
    sub_type TEXT,
    severity TEXT,
    stock_flag TEXT,
    permit_status TEXT,
    permit_id TEXT,
    outside_share DOUBLE,
    river_name TEXT,
    river_code TEXT,
    reach_code TEXT,
    bank TEXT,
    chainage_m DOUBLE,
    adcd TEXT,
    city TEXT,
    city_code TEXT,
    county TEXT,
    county_code TEXT,
    town TEXT,
    town_code TEXT,
    village TEXT,
    village_code TEXT,
    nearest_place TEXT,
    nearest_place_m DOUBLE,
    shoreline_zone TEXT,
    source_zone TEXT,
    in_mgmt BOOLEAN,
    chief_city TEXT,
    chief_county TEXT,
    chief_town TEXT,
    chief_village TEXT,
    lead_department TEXT,
    supporting_departments TEXT,
    co_notified TEXT,
    deadline TEXT,
    priority DOUBLE,
    shown BOOLEAN,
    suppressed_reason TEXT,
    linked_site TEXT,
    explanation TEXT,
    explanation_text TEXT,
    explanation_text_zh TEXT,
    assessed_at DATETIME,
    -- of what is said to offices; of what it follows from
    digest TEXT,
    inputs_digest TEXT
);
CREATE INDEX assessments_queue ON assessments (shown, priority DESC);

-- Numbers that were given, of superseded patches too: a number once given stays with its patch.
CREATE TABLE patch_numbers (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    number TEXT NOT NULL,
    given_at DATETIME NOT NULL
);
CREATE INDEX patch_numbers_number ON patch_numbers (number);

-- Approved projects on whose observed ground nothing changed by their day (占而不用): alarms, made anew with each assessment.
CREATE TABLE idle_projects (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    expected_by TEXT NOT NULL,
    observed_on TEXT NOT NULL,
    observed_share DOUBLE NOT NULL,
    adcd TEXT,
    first_raised_at DATETIME NOT NULL
);

-- National patches (图斑) as they came; one of a known id takes the place of the earlier one.
CREATE TABLE national_patches (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom MULTIPOLYGON NOT NULL,
    national_id TEXT NOT NULL UNIQUE,
    image_date TEXT,
    verdict TEXT,
    fields TEXT NOT NULL,
    origin TEXT NOT NULL,
    imported_at DATETIME NOT NULL
);
