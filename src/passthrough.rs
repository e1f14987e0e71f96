//! Client and model speak one format: what the client wrote is passed on unchanged, except for what the model does
//! not take.
//!
//! Anthropic's Messages, for models that take them over InvokeModel. The body is made of spans of the client's:
//! a message, a block or a value that needs no change is never taken apart, so that its order, its
//! marks and its thoughts stay what they are, byte for byte. What has to change, changes by rules: fields, betas,
//! tools and content by lists ([`rules`]) that an operator can amend, the rest by what the catalogue knows of the
//! model. A request that cannot be passed on ([`fit`]) is translated, like those for other models.

mod answer;
mod betas;
mod blocks;
mod body;
mod facts;
mod fit;
mod known;
mod list;
mod marks;
mod members;
mod rules;
mod stream;
mod thinking;
mod tools;
mod translate;

pub use answer::{Whole, whole};
pub use body::{Encoded, encode};
pub use fit::fits;
pub use stream::Stream;
pub use translate::translate;
