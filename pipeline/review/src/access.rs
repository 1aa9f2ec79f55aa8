//! Who gets in, and where to.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | every route and the right that it needs |
//! | [`guard`] | what stands before every route |
//! | [`identity`] | who asks |
//! | [`password`] | argon2id, random tokens |
//! | [`provider`] | logging in by an identity provider, where one is configured |
//! | [`limits`] | how often somebody may ask |
//! | [`first`] | the first administrator |

pub mod first;
pub mod guard;
pub mod identity;
pub mod limits;
pub mod password;
pub mod provider;
pub mod routes;
