//! What can be asked of the review server and its accounts.

use std::net::SocketAddr;

use clap::{Args, Subcommand, ValueEnum};
use shorewatch_domain::access::{Role, Scope};

use super::ConfigFile;

/// Commands on review.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// Serve the page on which reviewers decide, until interrupted. The first start makes an administrator and prints a password.
    Serve(ServeArguments),
    /// Keep accounts, without a browser.
    #[command(subcommand)]
    Account(AccountCommand),
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Address to listen at. Other machines reach it through a proxy that adds TLS.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8390")]
    pub listen: SocketAddr,
    /// How browsers reach the page, where a proxy stands before it (`https://review.example.org`).
    #[arg(long, value_name = "URL")]
    pub origin: Option<String>,
    /// Minutes that a verdict waits for an undo before it is delivered.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=10_080))]
    pub hold_minutes: u16,
    /// Minutes that a patch is kept for a reviewer of whom nothing is heard.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=240))]
    pub lease_minutes: u16,
    /// Two persons decide from this severity on.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub two_persons_from: Option<Severity>,
}

/// How bad a patch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    /// 一般.
    General,
    /// 较严重.
    Serious,
    /// 重大.
    Major,
}

/// Commands on accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account and print its one-time password.
    Add {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// A code: never a name or a telephone number.
        account: String,
        /// viewer, field, reviewer, supervisor or administrator.
        #[arg(long)]
        role: Role,
        /// `all`, or a list of unit:CODE, water:CODE and reach:ID between commas.
        #[arg(long, default_value = "all")]
        scope: Scope,
    },
    /// List accounts.
    List(ConfigFile),
    /// Lock an account out for good; its sessions end.
    Disable(AccountName),
    /// Let the identity provider let somebody in as this account: whoever comes first under its code. Once more for another person.
    Link(AccountName),
    /// End that; the account's sessions end.
    Unlink(AccountName),
    /// Print a new one-time password for an account, and let it in again; its sessions end.
    Reset(AccountName),
}

/// An account.
#[derive(Debug, Clone, Args)]
pub struct AccountName {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Its code.
    pub account: String,
}
