//! From patches to suspected problems with an address: every current patch is assessed when anything that decides changed.
//!
//! | module | holds |
//! |---|---|
//! | [`assess`] | the step "assess" of a run: layers, reviewed sites, numbers, alarms |
//! | [`fields`] | the fields of an assessed patch, in both languages |
//! | [`ledger`] | the ledger of offices: CSV, XLSX, GeoPackage |

pub mod assess;
pub mod fields;
pub mod ledger;
