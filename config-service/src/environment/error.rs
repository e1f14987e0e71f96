//! Why no channels can be made from the environment.

/// Why no channels can be made from the environment. No message repeats a value.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A channel is described, but not where it is.
    #[error(
        "no channel can be made from the environment: no region is known; set AWS_REGION, or set {0} to a region \
         such as us-east-1"
    )]
    NoRegion(String),
    /// Half of an access key.
    #[error("{0} is set, but {1} is not; set both, or neither")]
    Half(&'static str, &'static str),
    /// Quotes that became part of a value, as in a file for `docker run --env-file`.
    #[error("the value of {0} is in quotes, which are part of it; remove them")]
    Quoted(String),
    /// A value that is not text.
    #[error("{0} is not valid UTF-8")]
    NotUtf8(String),
    /// A name between that no channel can have.
    #[error(
        "{0} names no channel; put letters, digits and single underscores between BEDROCK_ and the rest"
    )]
    Name(String),
    /// Values that channels cannot have, each with its variable.
    #[error("no channel can be made from the environment: {}", .0.join("; "))]
    Invalid(Vec<String>),
}
