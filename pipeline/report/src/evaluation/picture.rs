//! Pictures to look at, and what their colours mean.

/// One example: panels of the same ground side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationPicture {
    /// Where it is shown.
    pub group: PictureGroup,
    /// Heading, for example `chip 191, accuracy 41 %`.
    pub title: String,
    /// What there is to see.
    pub caption: String,
    /// The panels from left to right, all of the same size in pixels; at least one.
    pub panels: Vec<PicturePanel>,
}

/// Why a picture is shown; also the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PictureGroup {
    /// Among the best.
    Best,
    /// Among the worst.
    Worst,
    /// Shows objects.
    Object,
}

/// One panel of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturePanel {
    /// What it shows, for example `predicted`.
    pub label: String,
    /// A PNG file, one of its pixels for each pixel of the image; the page enlarges it without smoothing.
    pub png: Vec<u8>,
}

/// What the colours of the pictures mean.
///
/// "Not labelled" and "not observed" have colours of their own, unlike each other and unlike every entry: neither is
/// background. The page shows the legend only where there are pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureLegend {
    /// The classes.
    pub classes: Vec<LegendEntry>,
    /// Other colours, such as those of the differences; may be empty.
    pub others: Vec<LegendEntry>,
    /// Colour of pixels without a label: red, green, blue.
    pub not_labelled: [u8; 3],
    /// Colour of pixels that were not observed (cloud, shadow, no data): red, green, blue.
    pub not_observed: [u8; 3],
}

/// One colour and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegendEntry {
    /// What it stands for.
    pub name: String,
    /// Red, green, blue.
    pub colour: [u8; 3],
}
