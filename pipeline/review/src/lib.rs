//! The server and the page on which reviewers decide.
//!
//! | module | holds |
//! |---|---|
//! | [`settings`] | what a server is told |
//! | [`access`] | routes and the rights that they need; sessions, passwords, an identity provider, lock-out; what stands before every route |
//! | [`api`] | the routes of the page: queue, patches, decisions, field checks, figures, accounts |
//! | [`ogc`] | OGC API Features |
//! | [`imagery`] | tiles of passes around a patch, both dates in one stretch |
//! | [`split`] | the part of a patch that a reviewer cut off |
//! | [`stores`] | readers and the one writer of the store |
//! | [`problem`] | what goes wrong, as a client reads it |
//! | [`page`] | the page, embedded, and the headers that keep it to itself |
//! | [`metrics`] | figures for Prometheus |
//! | [`server`] | all of it put together |
//!
//! No request leaves the machine: everything that the page needs is in the binary and in the store. Where an identity provider is
//! configured, it is asked, and nobody else.

pub mod access;
pub mod api;
pub mod imagery;
pub mod metrics;
pub mod ogc;
pub mod page;
pub mod problem;
pub mod server;
pub mod settings;
pub mod split;
pub mod stores;

pub use access::first::{FirstAccount, ensure_administrator};
pub use access::password::{hash_password, one_time_password};
pub use server::{App, router, serve};
pub use settings::Settings;
