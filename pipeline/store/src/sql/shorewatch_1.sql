-- Schema version 1 of the Shorewatch store. Times are UTC, to the millisecond; digests are 64 hexadecimal digits.
CREATE TABLE shorewatch_schema (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    version INTEGER NOT NULL UNIQUE,
    applied_at DATETIME NOT NULL
);

CREATE TABLE passes (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON,
    pass_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    sensor TEXT NOT NULL,
    acquired_at DATETIME,
    time_precision TEXT,
    time_source TEXT,
    state TEXT NOT NULL,
    state_reason TEXT,
    files TEXT NOT NULL,
    assigned_epsg INTEGER,
    fitted TEXT NOT NULL,
    warnings TEXT NOT NULL,
    record TEXT NOT NULL,
    added_at DATETIME NOT NULL,
    UNIQUE (name, revision)
);

CREATE TABLE reaches (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom MULTIPOLYGON NOT NULL,
    reach_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scope_source TEXT NOT NULL,
    buffer_m DOUBLE,
    origin TEXT NOT NULL,
    repairs TEXT NOT NULL,
    digest TEXT NOT NULL,
    imported_at DATETIME NOT NULL
);

CREATE TABLE runs (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    run_id TEXT NOT NULL UNIQUE,
    first_started_at DATETIME NOT NULL,
    started_at DATETIME NOT NULL,
    attempts INTEGER NOT NULL,
    finished_at DATETIME,
    state TEXT NOT NULL,
    program_version TEXT NOT NULL,
    model_name TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_digest TEXT NOT NULL,
    configuration_digest TEXT NOT NULL,
    configuration TEXT NOT NULL,
    synthetic BOOLEAN NOT NULL,
    plan_passes INTEGER NOT NULL,
    plan_reaches INTEGER NOT NULL,
    plan_publications INTEGER NOT NULL,
    plan_units_up_to_date INTEGER NOT NULL,
    units_total INTEGER NOT NULL,
    units_done INTEGER,
    seconds DOUBLE,
    exit_code INTEGER
);

CREATE TABLE publications (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    publication_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    grid_epsg INTEGER NOT NULL,
    pixel_size_m DOUBLE NOT NULL,
    grid_origin_x DOUBLE NOT NULL,
    grid_origin_y DOUBLE NOT NULL,
    post_date DATETIME NOT NULL,
    is_current BOOLEAN NOT NULL,
    superseded_by TEXT REFERENCES publications (publication_id),
    patch_count INTEGER NOT NULL
);
CREATE INDEX publications_pass ON publications (pass_id, is_current);

CREATE TABLE units (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    unit_id TEXT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    grid_epsg INTEGER NOT NULL,
    pixel_size_m DOUBLE NOT NULL,
    cell_row INTEGER NOT NULL,
    cell_col INTEGER NOT NULL,
    edge_px INTEGER NOT NULL,
    summary TEXT NOT NULL,
    UNIQUE (publication_id, unit_id)
);

CREATE TABLE tiles (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON NOT NULL,
    unit_id TEXT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    post_date DATETIME NOT NULL,
    scope_px INTEGER NOT NULL,
    observed_px INTEGER NOT NULL,
    compared_px INTEGER NOT NULL,
    observed_share DOUBLE,
    unobserved TEXT NOT NULL,
    UNIQUE (publication_id, unit_id)
);

CREATE TABLE observations (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    reach_id TEXT NOT NULL,
    pass_id TEXT NOT NULL REFERENCES passes (pass_id),
    post_date DATETIME NOT NULL,
    earlier_pass_ids TEXT NOT NULL,
    pixel_area_m2 DOUBLE NOT NULL,
    scope_px INTEGER NOT NULL,
    observed_px INTEGER NOT NULL,
    compared_px INTEGER NOT NULL,
    unobserved_nodata_px INTEGER NOT NULL,
    unobserved_outside_px INTEGER NOT NULL,
    unobserved_transparent_px INTEGER NOT NULL,
    unobserved_not_finite_px INTEGER NOT NULL,
    unobserved_cloud_px INTEGER NOT NULL,
    unobserved_cloud_shadow_px INTEGER NOT NULL,
    unobserved_saturated_px INTEGER NOT NULL,
    unobserved_unreadable_px INTEGER NOT NULL,
    scope_area_m2 DOUBLE NOT NULL,
    observed_fraction DOUBLE,
    compared_fraction DOUBLE,
    class_px TEXT NOT NULL,
    UNIQUE (publication_id, reach_id)
);

CREATE TABLE patches (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON NOT NULL,
    patch_id TEXT NOT NULL UNIQUE,
    reach_id TEXT NOT NULL,
    reach_name TEXT NOT NULL,
    object_class TEXT NOT NULL,
    change_type TEXT NOT NULL,
    suspected_issue_class TEXT NOT NULL,
    issue_term TEXT NOT NULL,
    area_m2 DOUBLE NOT NULL,
    perimeter_m DOUBLE NOT NULL,
    centre_longitude DOUBLE NOT NULL,
    centre_latitude DOUBLE NOT NULL,
    confidence DOUBLE NOT NULL,
    confidence_max DOUBLE NOT NULL,
    valid_fraction DOUBLE NOT NULL,
    pre_date DATETIME NOT NULL,
    post_date DATETIME NOT NULL,
    pre_pass_id TEXT NOT NULL,
    post_pass_id TEXT NOT NULL,
    pre_sensor TEXT NOT NULL,
    post_sensor TEXT NOT NULL,
    grid_epsg INTEGER NOT NULL,
    ground_sampling_distance_m DOUBLE NOT NULL,
    pixel_count INTEGER NOT NULL,
    model_name TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_digest TEXT NOT NULL,
    configuration_digest TEXT NOT NULL,
    program_version TEXT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    rank INTEGER,
    chip_before TEXT,
    chip_after TEXT
);
CREATE INDEX patches_publication ON patches (publication_id);
CREATE INDEX patches_confidence ON patches (confidence DESC, patch_id);

-- Patches of superseded publications: kept for the record, not drawn on the map.
CREATE TABLE patches_superseded (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom BLOB NOT NULL,
    patch_id TEXT NOT NULL,
    reach_id TEXT NOT NULL,
    reach_name TEXT NOT NULL,
    object_class TEXT NOT NULL,
    change_type TEXT NOT NULL,
    suspected_issue_class TEXT NOT NULL,
    issue_term TEXT NOT NULL,
    area_m2 DOUBLE NOT NULL,
    perimeter_m DOUBLE NOT NULL,
    centre_longitude DOUBLE NOT NULL,
    centre_latitude DOUBLE NOT NULL,
    confidence DOUBLE NOT NULL,
    confidence_max DOUBLE NOT NULL,
    valid_fraction DOUBLE NOT NULL,
    pre_date DATETIME NOT NULL,
    post_date DATETIME NOT NULL,
    pre_pass_id TEXT NOT NULL,
    post_pass_id TEXT NOT NULL,
    pre_sensor TEXT NOT NULL,
    post_sensor TEXT NOT NULL,
    grid_epsg INTEGER NOT NULL,
    ground_sampling_distance_m DOUBLE NOT NULL,
    pixel_count INTEGER NOT NULL,
    model_name TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_digest TEXT NOT NULL,
    configuration_digest TEXT NOT NULL,
    program_version TEXT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (publication_id),
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    rank INTEGER,
    chip_before TEXT,
    chip_after TEXT,
    UNIQUE (publication_id, patch_id)
);
