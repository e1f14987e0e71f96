//! Which model a request is encoded for.

use super::Options;
use crate::catalog::{Model, ModelFamily};

/// The model that a request is encoded for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// What the catalogue knows about it, if anything.
    pub model: Option<&'static Model>,
    /// Its family, which is known even for models that are not in the catalogue.
    pub family: ModelFamily,
    /// The id that is called: a model id, profile id or ARN.
    pub model_id: &'a str,
    /// Bedrock's own options; InvokeModel has them in headers, which dialects do not write.
    pub options: &'a Options,
}
