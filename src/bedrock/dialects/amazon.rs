//! Amazon's own models: Nova and Titan.

pub(in crate::bedrock) mod nova;
pub(in crate::bedrock) mod titan;
