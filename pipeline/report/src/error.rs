//! What can be wrong with a picture or a report, and what to do about it.

/// Why a picture could not be painted.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The pixel array is not (3, rows, columns).
    #[error(
        "{what}: the pixels have {got} bands where a picture needs 3 (red, green, blue or a named \
         false-colour triple); pick three bands before rendering"
    )]
    Bands {
        /// Which picture, for example `patch 450702-20240315-0007, before`.
        what: String,
        /// Number of bands given.
        got: usize,
    },
    /// Two arrays that must share a shape do not.
    #[error(
        "{what}: {array} has the shape (rows, columns) = {got:?} where {expected:?} was expected; \
         cut both from the same window of the same grid"
    )]
    Shape {
        /// Which picture.
        what: String,
        /// Which array differs.
        array: &'static str,
        /// Expected (rows, columns).
        expected: (usize, usize),
        /// Given (rows, columns).
        got: (usize, usize),
    },
    /// A picture without pixels.
    #[error("{what}: the window has no pixels; a chip needs at least one row and one column")]
    Empty {
        /// Which picture.
        what: String,
    },
    /// The ground sampling distance is not a positive number of metres.
    #[error("{what}: the ground sampling distance is {got} m; it must be a positive number of metres")]
    GroundSamplingDistance {
        /// Which picture.
        what: String,
        /// Given value in metres.
        got: f64,
    },
    /// A coordinate of a polygon is NaN or infinite.
    #[error(
        "{what}: {polygon} has the coordinate ({x}, {y}), which is not a finite number; \
         give outlines in pixel-corner coordinates (x = column, y = row)"
    )]
    Coordinate {
        /// Which picture.
        what: String,
        /// Which polygon.
        polygon: String,
        /// The x coordinate, in columns.
        x: f64,
        /// The y coordinate, in rows.
        y: f64,
    },
    /// The embedded font could not be read: a fault of the build, not of the data.
    #[error("the embedded font could not be read; rebuild the program")]
    Font(#[source] ab_glyph::InvalidFont),
    /// The PNG encoder refused the picture.
    #[error("{what}: the picture could not be encoded as PNG")]
    Encode {
        /// Which picture.
        what: String,
        /// The encoder's reason.
        #[source]
        source: image::ImageError,
    },
}

/// One thing that contradicts itself in a report's data.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReportFault {
    /// A number that must be finite and within limits is not.
    #[error("{place}: {field} is {got}; expected {expected}")]
    Number {
        /// Which row or patch.
        place: String,
        /// Which field.
        field: &'static str,
        /// Given value.
        got: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A row names a reach that the report does not list.
    #[error("{place}: reach {reach_id:?} is not among the report's reaches; add its row")]
    UnknownReach {
        /// Which row or patch.
        place: String,
        /// The reach named.
        reach_id: String,
    },
    /// The same identifier twice.
    #[error("{what} {id:?} appears more than once; identifiers must be unique")]
    Duplicate {
        /// Kind of thing, for example `reach`.
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// The parts of a coverage row are larger than the whole.
    #[error(
        "{place}: observed and unobserved areas add up to {sum_m2} m², more than the scope of \
         {scope_m2} m²; count each pixel once, under its first cause"
    )]
    CoverageExceedsScope {
        /// Which row.
        place: String,
        /// Sum of the parts in m².
        sum_m2: f64,
        /// The scope in m².
        scope_m2: f64,
    },
    /// Ranks are not 1, 2, 3 … in order of score.
    #[error(
        "patch {patch_id:?} has rank {got} where its score gives rank {expected}; \
         number the patches with `rank_patches` before painting the map"
    )]
    Rank {
        /// The patch.
        patch_id: String,
        /// Rank given.
        got: usize,
        /// Rank by score.
        expected: usize,
    },
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The data contradict themselves; every fault found is listed.
    #[error("the report's data do not hold together:\n{}", list(.0))]
    Faults(Vec<ReportFault>),
    /// The template could not be filled.
    #[error("the report's template could not be filled")]
    Template(#[from] askama::Error),
}

fn list(faults: &[ReportFault]) -> String {
    faults.iter().map(|fault| format!("- {fault}")).collect::<Vec<_>>().join("\n")
}
