//! Random faults under load, and what has to hold all the same.
//!
//! A run starts the whole product (two Envoys, the config-service, four regions of Bedrock and an STS), lets
//! clients ask without a pause, and walks the three lanes of a plan side by side: what goes wrong in the regions,
//! what clients and administrators do, and what happens to the control plane. The plan is decided by the seed
//! alone; how far it gets in the time depends on the machine.
//!
//! Every request has words of its own. The regions note each attempt of it, with the fault that they let happen;
//! from that, and from what went on while it was under way, follows how it may end. Nothing else may happen to it.
//!
//! | module | owns |
//! |---|---|
//! | `settings` | what a run can be told |
//! | `dice`, `plan` | what happens, by the seed |
//! | `faults` | every kind of fault, and how it is made |
//! | `world` | what runs |
//! | `load` | clients |
//! | `story` | what happened, and whether a request may end as it did |
//! | `secrets` | what nobody may read |
//! | `wait` | waiting, with one deadline for everything |
//! | `invariants` | what has to hold at the end |
//! | `run` | a run from its beginning to its verdict |

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
