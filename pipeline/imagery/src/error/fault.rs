//! What can be wrong with a raster file itself.

/// Why a raster file cannot be used: a property of its bytes, the same on every attempt.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// No bytes.
    #[error("the file is empty (0 bytes); deliver it again")]
    Empty,
    /// The first bytes are those of something else.
    #[error("expected a GeoTIFF, JPEG 2000, JPEG or PNG by its first bytes, found {found}; the name does not count")]
    NotARaster {
        /// What the first bytes say.
        found: &'static str,
    },
    /// The first bytes are right, the rest is not.
    #[error("the {format} header cannot be read ({detail}); the file is cut or damaged: deliver it again")]
    Unreadable {
        /// What the first bytes say.
        format: &'static str,
        /// The driver's words.
        detail: String,
    },
    /// It declares more than the limits allow.
    #[error("declares {got} {what}, the limit is {limit}; raise [limits] if the source is trusted and this is meant")]
    OverLimit {
        /// The measured quantity, in words.
        what: &'static str,
        /// What the header declares.
        got: f64,
        /// What is allowed.
        limit: f64,
    },
    /// It does not say where its pixels lie.
    #[error(
        "has no geotransform{found}: its pixels have no place on the ground; make an orthomosaic or georeference it, or \
         assign a geotransform"
    )]
    NoGeotransform {
        /// What it has in its stead, in words (", only 4 ground control points"), or nothing.
        found: String,
    },
    /// Its geotransform maps the plane to a line or a point, or holds NaN.
    #[error(
        "has the geotransform {got:?}, which has no inverse; expected [x0, dx/dcol, dx/drow, y0, dy/dcol, dy/drow]"
    )]
    SingularGeotransform {
        /// The six numbers.
        got: [f64; 6],
    },
    /// It does not say in which system its coordinates are.
    #[error("has no coordinate reference system; assign one with --assign-epsg if you know it")]
    NoCrs,
    /// Its coordinates are impossible in its own system.
    #[error(
        "its corners cannot be brought to longitude and latitude ({detail}): the reference system or the geotransform is wrong"
    )]
    Misplaced {
        /// Which corner, and why.
        detail: String,
    },
    /// It is stored in another data type than the product.
    #[error(
        "band {band} is stored as {got}, the profile {profile} expects {expected}: another product, or another scale"
    )]
    DataType {
        /// Band from 1.
        band: usize,
        /// Profile name.
        profile: String,
        /// Expected type.
        expected: &'static str,
        /// Stored type.
        got: String,
    },
    /// It has fewer bands than the profile reads.
    #[error("has {got} band(s), the profile {profile} reads band {expected}")]
    BandCount {
        /// Profile name.
        profile: String,
        /// Highest band that is read, from 1.
        expected: usize,
        /// Bands in the file.
        got: usize,
    },
    /// Its own words about a band contradict the profile.
    #[error(
        "says that band {band} is {got}, the profile {profile} says {expected}: the bands are in another order; use or \
         write a profile for it"
    )]
    BandOrder {
        /// Band from 1.
        band: usize,
        /// Profile name.
        profile: String,
        /// Role in the profile.
        expected: String,
        /// Colour interpretation in the file.
        got: String,
    },
    /// Its numbers are no reflectance under the profile.
    #[error(
        "band {band} ({role}): {percent:.0} % of the sampled reflectances are outside {low} to {high} (median {median:.3}): \
         the scale is not that of the profile {profile}"
    )]
    WrongScale {
        /// Band from 1.
        band: usize,
        /// Role in the profile.
        role: String,
        /// Profile name.
        profile: String,
        /// Share outside in percent.
        percent: f64,
        /// Lowest plausible reflectance.
        low: f64,
        /// Highest plausible reflectance.
        high: f64,
        /// Median of the sample.
        median: f64,
    },
    /// The bytes are not those that the checksum beside the file names.
    #[error("has the {kind} {got}, {sidecar} says {expected}; deliver it again")]
    Checksum {
        /// Kind of checksum.
        kind: &'static str,
        /// Name of the file with the checksum.
        sidecar: String,
        /// The checksum in it.
        expected: String,
        /// The checksum of the bytes.
        got: String,
    },
    /// Files of one pass lie at different places.
    #[error("does not overlap {other}, a file of the same pass; were files of two passes mixed?")]
    Elsewhere {
        /// Name of the other file.
        other: String,
    },
}
