//! Random faults under load, and the invariants that must hold nevertheless.
//!
//! A run starts the whole product (two Envoys, the config-service, four simulated Bedrock regions and an STS),
//! lets clients send requests without a pause, and runs the three lanes of a plan side by side: what goes wrong in
//! the regions, what clients and administrators do, and what happens to the control plane. The seed alone
//! determines the plan; how far it gets in the time depends on the machine.
//!
//! Every request has unique words. The regions record each of its attempts, with the fault that they caused. That,
//! and what else happened while it was in flight, determines how it may end; nothing else may happen to it.
//!
//! | module | owns |
//! |---|---|
//! | `settings` | how to configure a run |
//! | `dice`, `plan` | what happens, determined by the seed |
//! | `faults` | every kind of fault, and how it is caused |
//! | `world` | the running system |
//! | `load` | clients |
//! | `story` | what happened, and whether a request may end as it did |
//! | `secrets` | what must not be readable anywhere |
//! | `wait` | waiting, with one deadline for everything |
//! | `invariants` | what must hold at the end |
//! | `run` | a run from its start to its verdict |

mod dice;
mod faults;
mod invariants;
mod load;
mod plan;
mod run;
mod secrets;
mod settings;
mod story;
mod wait;
mod world;

pub use run::run;
pub use settings::{Settings, Tempo};
