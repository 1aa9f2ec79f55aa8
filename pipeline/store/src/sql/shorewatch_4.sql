-- Schema version 4 of the Shorewatch store: the layers that decide. Each import of a layer is a version of it, counted from 1;
-- the rows of the version in force stand in the tables by content, those of earlier versions in `layer_rows_superseded`.
-- `record` is the whole row as JSON, without its geometry.
CREATE TABLE layer_versions (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    file TEXT NOT NULL,
    digest TEXT NOT NULL,
    mapping TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    repairs TEXT NOT NULL,
    imported_at DATETIME NOT NULL,
    in_force BOOLEAN NOT NULL,
    UNIQUE (layer, version)
);
CREATE UNIQUE INDEX layer_versions_in_force ON layer_versions (layer) WHERE in_force;

CREATE TABLE layer_features (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom MULTIPOLYGON NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL,
    UNIQUE (content, code)
);
CREATE INDEX layer_features_layer ON layer_features (layer);

CREATE TABLE waters (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom MULTIPOLYGON,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL
);

CREATE TABLE water_reaches (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom LINESTRING NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL
);

CREATE TABLE kilometre_points (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POINT NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL
);

CREATE TABLE named_places (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POINT NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL
);

-- Chiefs (河长) and departments. Names and telephone numbers of officials are personal data: they enter no public extract.
CREATE TABLE chiefs (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL
);

CREATE TABLE departments (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL
);

CREATE TABLE layer_rows_superseded (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom BLOB,
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    record TEXT NOT NULL,
    UNIQUE (layer, version, code)
);

-- Which versions a run used, by the name of the layer.
CREATE TABLE run_layers (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (run_id, layer),
    FOREIGN KEY (layer, version) REFERENCES layer_versions (layer, version)
);
