//! A strict local Amazon Bedrock Runtime, for tests and the demo.
//!
//! It verifies SigV4 with its own code (module `signature`), refuses the bodies that AWS
//! refuses and in AWS's words, speaks the binary event stream, answers deterministically,
//! injects faults on demand, and keeps a list of what it received.
//!
//! ```no_run
//! use bedrock_simulator::{Fault, Key, Simulator};
//! # async fn example() -> Result<(), bedrock_simulator::StartError> {
//! let simulator = Simulator::builder()
//!     .credentials(Key::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
//!     .region("us-east-1")
//!     .start()
//!     .await?;
//! simulator.inject(Fault::throttling());
//! println!("{} received {:?}", simulator.url(), simulator.requests());
//! # Ok(())
//! # }
//! ```
//!
//! # What it answers
//!
//! The same request gets the same answer, whatever family words it:
//!
//! - `You said: …` with the texts of the last user turn, then a sentence for
//!   each image and file; `The tools answered: …` for tool results;
//! - calls of the tools whose names follow the word "call" (`call get_weather
//!   and now`), or of the one that the request forces, with arguments made from
//!   their schemas;
//! - JSON made from the schema where a structured answer is asked for, be it in
//!   words;
//! - reasoning (`The user said: …`) where the model reasons or is asked to;
//!   Claude's is redacted when the text contains "redact", and must come back
//!   with the signature it was given ([`thinking_signature`],
//!   [`redacted_thinking`]);
//! - a token is a word, and limits and stop sequences cut the text;
//! - what a [`Script`] says, for requests that contain its word.
//!
//! | module | owns |
//! |---|---|
//! | `simulator`, `settings` | start, stop, what is configurable |
//! | `listener` | TCP, TLS, cutting a connection |
//! | `server`, `control` | the routes: Bedrock's and `/_simulator/…` |
//! | `exchange` | one request: authenticate, resolve, validate, answer |
//! | `controls` | guardrail, tier, latency and metadata of a request |
//! | `account` | the control plane: what an account has |
//! | `count` | the request of `CountTokens` |
//! | `signature`, `key` | SigV4 and bearer keys |
//! | `catalog` | model ids, inference profiles, ARNs |
//! | `family` | one module per body shape: what it refuses and answers |
//! | `family::converse` | Converse, for every model that has it |
//! | `family::schema` | body schemas as data, and AWS's words for a violation |
//! | `fault`, `delivery` | injected faults and how bytes leave |
//! | `event_stream`, `error` | the wire formats of streams and errors |
//! | `recorded` | what was received |
//! | `bill` | what it would have cost, in tokens |
//! | `script` | answers by script |
//! | `sts` | another service: AWS STS, which issues keys |

mod account;
mod bill;
mod catalog;
mod control;
mod controls;
mod count;
mod delivery;
mod error;
mod event_stream;
mod exchange;
mod family;
mod fault;
mod key;
mod listener;
mod recorded;
mod script;
mod server;
mod settings;
mod signature;
mod simulator;
pub mod sts;
mod wire;

pub use bill::Bill;
pub use family::Family;
pub use fault::{Effect, Fault, Operation, Pace, When};
pub use key::{Key, KeyState};
pub use recorded::{Recorded, Verdict};
pub use script::{Script, ToolCall, Turn};
pub use settings::Builder;
pub use simulator::{Simulator, StartError};

/// The `signature` that Claude models put on a thinking block with this text.
///
/// A `thinking` block in a request must carry it, unchanged; an answer whose
/// thinking is shown carries the same.
#[must_use]
pub fn thinking_signature(text: &str) -> String {
    family::claude::thinking::signature(text, text)
}

/// The `data` of a redacted thinking block that hides this text.
#[must_use]
pub fn redacted_thinking(text: &str) -> String {
    family::claude::thinking::redacted(text)
}
