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

/// One thing that contradicts itself in the data of a page.
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
    /// A list or a table does not have one entry for each class.
    #[error("{place}: {what} has the size {got:?} where {expected:?} was expected; give one entry for each class")]
    Size {
        /// Which hold-out or baseline.
        place: String,
        /// Which list or table.
        what: &'static str,
        /// Given length, or (rows, columns).
        got: Vec<usize>,
        /// Expected length, or (rows, columns).
        expected: Vec<usize>,
    },
    /// Something that a page needs is not there.
    #[error("{place}: there is no {what}; {hint}")]
    Absent {
        /// Where it is wanted.
        place: String,
        /// What is wanted.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// Counts that must be equal are not.
    #[error("{place}: {what} is {got} where {from} gives {expected}; count the same things in both")]
    Count {
        /// Which row.
        place: String,
        /// Which count.
        what: &'static str,
        /// Given count.
        got: u64,
        /// Count that follows from the other data.
        expected: u64,
        /// Which other data.
        from: &'static str,
    },
    /// A part is larger than its whole.
    #[error("{place}: {part} ({got}) is more than {whole} ({limit}), of which it is a part")]
    PartExceedsWhole {
        /// Which row.
        place: String,
        /// Name of the part.
        part: &'static str,
        /// The part.
        got: u64,
        /// Name of the whole.
        whole: &'static str,
        /// The whole.
        limit: u64,
    },
    /// A score does not follow from the counts beside it.
    #[error("{place}: {field} is {got} where {from} gives {expected:?}; score the same pixels in both")]
    Score {
        /// Which row.
        place: String,
        /// Which score.
        field: &'static str,
        /// Given value.
        got: f64,
        /// Value that follows from the counts; `None` where they give none.
        expected: Option<f64>,
        /// Which counts.
        from: &'static str,
    },
    /// A goal is called met where it is missed, or the other way round.
    #[error("goal {what:?} is called {} where {reached:?} against {wanted} says otherwise", met_word(*.met))]
    Goal {
        /// The goal.
        what: String,
        /// As given.
        met: bool,
        /// What was reached.
        reached: Option<f64>,
        /// What was wanted, in words.
        wanted: String,
    },
    /// A curve names a class that is not there.
    #[error("{place}: a curve is of class {class}, but there are {classes} classes, counted from 0")]
    UnknownClass {
        /// Which hold-out.
        place: String,
        /// Index given.
        class: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Values that must rise do not.
    #[error("{place}: {what} falls from {before} to {after}; give them from low to high")]
    Order {
        /// Which curve or list.
        place: String,
        /// Which values.
        what: &'static str,
        /// The value before.
        before: f64,
        /// The smaller value after it.
        after: f64,
    },
    /// A panel is not a PNG file.
    #[error("{place} is not a PNG file; encode the panel as PNG")]
    NotPng {
        /// Which panel.
        place: String,
    },
    /// The panels of a picture differ in size.
    #[error(
        "{place} is {got:?} px (width, height) where the first panel is {expected:?} px; \
         cut all panels from the same window"
    )]
    PanelSize {
        /// Which panel.
        place: String,
        /// Given (width, height) in pixels.
        got: (u32, u32),
        /// (width, height) of the first panel in pixels.
        expected: (u32, u32),
    },
    /// What is not known has the colour of something that is.
    #[error("the legend gives {what:?} the colour {colour:?} of {other:?}; give it a colour of its own")]
    SharedColour {
        /// `not labelled` or `not observed`.
        what: &'static str,
        /// The other entry.
        other: String,
        /// Red, green, blue.
        colour: [u8; 3],
    },
}

fn met_word(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
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
