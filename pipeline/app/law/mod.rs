//! From patches to suspected problems with an address: every current patch is assessed when anything that decides changed.
//!
//! | module | holds |
//! |---|---|
//! | [`assess`] | the step "assess" of a run: layers, reviewed sites, numbers, alarms |
//! | [`fields`] | the fields of an assessed patch, in both languages |
//! | [`ledger`] | the ledger of offices: CSV, XLSX, GeoPackage |
//! | [`national`] | national patches in and out |
//! | [`periodic`] | reports of a week, month, quarter or year; briefs of chiefs, dossiers of rivers |
//! | [`pdf`] | a page as PDF, by Chromium |

pub mod assess;
pub mod fields;
pub mod ledger;
pub mod national;
pub mod pdf;
pub mod periodic;
