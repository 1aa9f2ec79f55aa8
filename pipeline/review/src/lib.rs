//! The server and the page on which reviewers decide.
