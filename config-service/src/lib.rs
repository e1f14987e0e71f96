//! Control plane of the Bedrock filter.
//!
//! Administrators edit channels over HTTP, and every Envoy gets the result over xDS. The path of an edit:
//!
//! 1. [`api`] authenticates the caller and passes the body to [`channels`]; `web` does the same with forms.
//! 2. [`edit`] reads the body and reports every fault at once; the filter's own `Routes::compile` checks the
//!    result.
//! 3. [`store`] keeps row, audit entry and revision in one SQLite transaction; [`seal`] seals the
//!    credentials before they are stored and before they are published.
//! 4. [`publish`] makes an immutable snapshot of it, with the [`cluster`]s that it needs, and [`xds`] sends it
//!    to every Envoy. Where a channel has a source of credentials instead of a key, [`credentials`] gets keys
//!    from AWS and publishes them before the old ones expire. `discovery` asks accounts what they have.
//! 5. [`fleet`] remembers what each Envoy acknowledged or refused; [`history`] what each edit changed.
//!
//! Envoys ask on the xDS port, too, whether a caller is within its limits; [`rate_limits`] counts. For a rate limit service
//! of the fleet's own, [`limit_rules`] writes the rules.
//! 6. [`usage`] takes what Envoys report of requests, puts a cost on it by [`prices`], and stores it.
//!
//! Besides that, [`environment`] describes the first channels, [`access`] has roles, `token` creates tokens, and
//! [`proxies`] tells clients behind proxies apart; [`explain`] and [`probe`] run the filter's own code here, to say
//! where a request would go and to send real ones; [`export`] generates documents for Envoys that are not connected;
//! `web` has the pages; `http` assembles the routes, `health` remembers how
//! tests and probes of channels ended, [`zone`] when days and months begin, and [`listen`] protects the ports; `metrics` counts for
//! Prometheus; [`envoy`] starts an Envoy where everything is in one container; [`outbound`] is the service's own HTTP
//! client, and `candor` what is revealed about the hosts that it calls; [`command`] has the subcommands.
//!
//! Modules use only those below them; `tests/tidy/modules.rs` has the map.

pub mod access;
pub mod api;
mod args;
mod call;
pub mod caller;
pub mod callers;
mod candor;
pub mod channel;
pub mod channels;
pub mod cluster;
pub mod command;
pub mod credentials;
mod discovery;
pub mod edit;
pub mod environment;
pub mod envoy;
pub mod explain;
pub mod export;
pub mod fault;
pub mod filter_code;
pub mod fleet;
mod health;
mod hex;
pub mod history;
mod http;
pub mod limit_rules;
pub mod listen;
mod metrics;
pub mod model_choice;
pub mod outbound;
pub mod prices;
pub mod probe;
pub mod proxies;
pub mod publish;
pub mod rate_limits;
mod reader;
pub mod seal;
mod service;
mod setting;
pub mod settings;
pub mod store;
mod token;
pub mod usage;
mod web;
pub mod xds;
pub mod zone;

pub use args::{
    AdminTokenSource, Args, AwsAccess, CallerCommand, CallerLimits, CallerRuleArgs, Cli, Command,
    InvalidSecret, KeyCommand, Listening, LogFormat, MasterKeySource, Remote, SealCommand,
    SealKeySource, TokenCommand, TokenSource, UsageCommand, UsageKeeping, UsageRetention,
    WithEnvoy, XdsServing,
};
pub use service::{RunError, Service, StartError};
pub use token::{AdminToken, InvalidToken};
