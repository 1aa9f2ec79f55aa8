//! The Shorewatch program: command line, configuration and the run.
//!
//! | module | holds |
//! |---|---|
//! | [`cli`], [`commands`] | what can be asked for, and one function for each |
//! | [`configuration`] | what the user typed → what the program needs |
//! | [`register`] | delivered files → passes and reaches in the store |
//! | [`run`] | plan, work, publish |
//! | [`schedule`] | scheduled runs: watched folders, when each reach was last looked at, alarms |
//! | [`polygonize`] | the extractor of the domain on all cores |
//! | [`layers`] | layers that decide: import, check, difference of versions |
//! | [`labels`] | reviewed patches as training chips |
//! | [`reporting`], [`score`], [`scene`] | the HTML page; truth against result; synthetic imagery |
//! | [`failure`], [`process`] | exit codes; memory and end of the process |
//! | [`findings`] | what delivery needs of imagery and files |
//! | [`change`] | `shorewatch change`: the fused change score of two passes |
//! | [`evaluation`] | `shorewatch eval`: how good a bundle is |
//! | [`law`] | what layers and rules say of patches; ledgers and periodic reports |
//! | [`logging`], [`progress`] | what the user sees meanwhile |

pub mod change;
pub mod cli;
pub mod commands;
pub mod configuration;
pub mod evaluation;
pub mod failure;
pub mod findings;
pub mod labels;
pub mod law;
pub mod layers;
pub mod logging;
pub mod polygonize;
pub mod process;
pub mod progress;
pub mod register;
pub mod reporting;
pub mod run;
pub mod scene;
pub mod schedule;
pub mod score;
