//! Scores on objects: things of several pixels that are found or not, rather than pixels.

/// Scores on objects.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectScores {
    /// Where the objects come from, and what counts as found, named and right.
    pub explanation: String,
    /// Number of images.
    pub images: usize,
    /// Share of the objects that are found, 0 to 1.
    pub recall: Option<f64>,
    /// Share of the findings that are right, 0 to 1.
    pub precision: Option<f64>,
    /// Of the objects that are found, the share that carries its own kind, 0 to 1.
    pub named_share: Option<f64>,
    /// Share of the pixels of ground without any object that is taken for one, 0 to 1.
    pub false_share_of_plain_ground: Option<f64>,
    /// Recall by size of the object, from small to large.
    pub recall_by_size: Vec<ObjectSizeScore>,
    /// Precision by size of the finding, from small to large.
    pub precision_by_size: Vec<FindingSizeScore>,
    /// Recall by kind of object.
    pub by_kind: Vec<ObjectKindScore>,
}

/// Objects of like size.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectSizeScore {
    /// The sizes, for example `25–99 px`.
    pub label: String,
    /// Objects of this size.
    pub objects: u64,
    /// Of these, how many are found.
    pub found: u64,
    /// Found over objects, 0 to 1; `None` without objects.
    pub recall: Option<f64>,
}

/// Findings of like size.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingSizeScore {
    /// The sizes, for example `25–99 px`.
    pub label: String,
    /// Findings of this size.
    pub findings: u64,
    /// Of these, how many are right.
    pub right: u64,
    /// Right over findings, 0 to 1; `None` without findings.
    pub precision: Option<f64>,
}

/// Objects of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectKindScore {
    /// Name of the kind, for example `fish_cage`.
    pub name: String,
    /// Objects of this kind.
    pub objects: u64,
    /// Share that is found, as any kind, 0 to 1; `None` without objects.
    pub recall: Option<f64>,
    /// Of those found, the share that carries this very kind, 0 to 1; `None` where none is found.
    pub named: Option<f64>,
}
