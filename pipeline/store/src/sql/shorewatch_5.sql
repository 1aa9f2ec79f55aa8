-- Schema version 5 of the Shorewatch store: what layers and rules say of each patch.
CREATE TABLE assessments (
    patch_id TEXT PRIMARY KEY,
    number TEXT UNIQUE,
    issue_class TEXT, sub_type TEXT, severity TEXT, stock_flag TEXT, permit_status TEXT, permit_id TEXT,
    river_name TEXT, river_code TEXT, reach_code TEXT, bank TEXT, chainage_m DOUBLE,
    adcd TEXT, city TEXT, county TEXT, town TEXT, village TEXT,
    shoreline_zone TEXT, source_zone TEXT, in_mgmt BOOLEAN,
    chief_city TEXT, chief_county TEXT, chief_town TEXT, chief_village TEXT,
    lead_department TEXT, supporting_departments TEXT, deadline TEXT,
    priority DOUBLE, shown BOOLEAN, suppressed_reason TEXT, linked_site TEXT,
    explanation TEXT, explanation_text TEXT, assessed_at DATETIME, digest TEXT
);
