//! What the register, the layers and the rules say of a place: from what is *seen* there to what it may *be* in law, how bad it
//! is, and whose it is.
//!
//! | module | holds |
//! |---|---|
//! | [`layer`] | the kinds of layers, and what a feature of each says |
//! | [`period`] | dates from which and until which something holds, and seasons that come back every year |
//! | [`water`] | the register of waters, and where a place lies along them |
//! | [`place`] | everything the layers in force say of one place |
//! | [`office`] | chiefs and departments, valid on a date |
//! | [`assessment`] | what all of that says of one patch |
//! | [`sub_type`] | the official sub-types of the four disorders |
//! | [`explanation`] | why it says so |
//! | [`gcj02`] | the shifted coordinates of navigation links |
//! | [`record`] | what an imported layer is made of, whatever it is about |
//! | [`wording`] | texts in both languages |

pub mod assessment;
pub mod explanation;
pub mod gcj02;
pub mod layer;
pub mod office;
pub mod period;
pub mod place;
pub mod record;
pub mod sub_type;
pub mod water;
pub mod wording;
