//! AI21 Labs: Jurassic-2 and Jamba.

pub(in crate::bedrock) mod j2;
pub(in crate::bedrock) mod jamba;
