//! Refuses requests that ask for what a model cannot do.

use super::{Asked, Error, Param, Request, Treatment};

/// Refuses what a dialect refuses.
///
/// # Errors
///
/// A 400 that names the first such parameter.
pub fn check(request: &Request<'_>, treatment: impl Fn(Param) -> Treatment) -> Result<(), Error> {
    let mut asked = request.asked.iter();
    match asked.find(|asked| treatment(asked.param) == Treatment::Refused) {
        None => Ok(()),
        Some(Asked { name, .. }) => {
            let message = format!(
                "'{name}' is not supported with the model `{}`; remove it.",
                &*request.model
            );
            Err(Error::unsupported(*name, message))
        }
    }
}
