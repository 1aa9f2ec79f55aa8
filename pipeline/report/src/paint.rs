//! The few drawing tools that the pictures share.

pub(crate) mod canvas;
pub(crate) mod check;
pub(crate) mod scale_bar;
pub(crate) mod stretch;
pub(crate) mod stroke;
pub(crate) mod text;
pub(crate) mod zoom;
