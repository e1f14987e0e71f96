//! Control plane of the Bedrock filter.
//!
//! Administrators edit channels over HTTP; every Envoy gets the result over xDS. The way of an edit:
//!
//! 1. [`api`] authenticates and hands the body to [`channels`]; `web` does the same with forms.
//! 2. [`edit`] reads the body, with every fault at once; `Routes::compile` of the filter itself
//!    judges the outcome.
//! 3. [`store`] keeps row, audit entry and revision in one SQLite transaction; [`seal`] seals the
//!    credentials before they are stored and before they are published.
//! 4. [`publish`] makes an immutable snapshot of it, with the [`cluster`]s that it needs, which [`xds`] sends to
//!    every Envoy.
//!    Where a channel has a source of credentials instead of a key, [`credentials`] gets keys from AWS
//!    and has them published before the old ones expire.
//! 5. [`fleet`] remembers what each Envoy acknowledged or refused; [`history`] what each edit changed.
//!
//! Beside that way: [`access`] has roles, `token` makes tokens, [`proxies`] tells clients behind proxies apart;
//! [`explain`] and [`probe`] run the filter's own code here, to tell where a request would go and to send real
//! ones; [`export`] makes documents for Envoys that are not attached; `web` is the page; `http` puts every route
//! together, and [`listen`] guards the ports; `metrics` counts for Prometheus; [`outbound`] makes the calls that
//! the service itself makes; [`command`] is what the executable does besides serving.
//!
//! Modules know those below them alone; `tests/tidy/modules.rs` has the map.

pub mod access;
pub mod api;
mod args;
mod call;
pub mod channel;
pub mod channels;
pub mod cluster;
pub mod command;
pub mod credentials;
pub mod edit;
pub mod explain;
pub mod export;
pub mod fault;
pub mod filter_code;
pub mod fleet;
mod hex;
pub mod history;
mod http;
pub mod listen;
mod metrics;
pub mod outbound;
pub mod probe;
pub mod proxies;
pub mod publish;
mod reader;
pub mod seal;
mod service;
pub mod settings;
pub mod store;
mod token;
mod web;
pub mod xds;

pub use args::{
    AdminTokenSource, Args, Cli, Command, InvalidSecret, Listening, LogFormat, Remote, SealCommand,
    SealKeySource, TokenCommand, TokenSource,
};
pub use service::{RunError, Service, StartError};
pub use token::{AdminToken, InvalidToken};
