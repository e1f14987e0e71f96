//! Channels described by environment variables that people have already, for a first start without any edit.
//!
//! | variable | what it says |
//! |---|---|
//! | `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_REGION_NAME` | the region; the first that is set counts |
//! | `AWS_BEARER_TOKEN_BEDROCK` | a Bedrock API key, which becomes the channels' own |
//! | AWS's other variables | the credentials of `default_chain`, which reads them itself |
//! | `BEDROCK_BASE_URL` | a region, or an endpoint |
//! | `BEDROCK_MODELS` | names, with commas between |
//! | `BEDROCK_INFERENCE_PROFILE_ARN_MAP` | the map of that name, as JSON |
//!
//! The last three with a name between, such as `BEDROCK_EU_BASE_URL`, describe a channel of that name each.

mod error;
mod variables;

use std::collections::BTreeMap;

use bedrock_filter::config::KeyNotes;
use bedrock_filter::endpoint::{Endpoint, HostVariant};
use bedrock_filter::secret::Secret;
use serde_json::{Map, Value, json};

pub use error::EnvironmentError;
pub(crate) use variables::Variables;

/// AWS's variables for the region, and that of `LiteLLM`.
const REGIONS: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME"];

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html>
const API_KEY: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html>
const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// Name of the channel without a name between.
const UNNAMED: &str = "bedrock";

/// A channel that the environment describes.
pub(crate) struct Described {
    /// The body of the edit that creates it.
    body: Map<String, Value>,
    /// The variable behind each of its fields.
    variables: BTreeMap<&'static str, String>,
}

impl Described {
    /// The body of the edit that creates it. Contains secrets.
    pub(crate) fn body(&self) -> Vec<u8> {
        json!(self.body).to_string().into_bytes()
    }

    /// The variables that it is made from, for the log.
    pub(crate) fn variables(&self) -> String {
        let names: Vec<_> = self.variables.values().map(String::as_str).collect();
        names.join(", ")
    }

    /// The variable behind the field that a pointer leads to.
    pub(crate) fn variable(&self, pointer: &str) -> &str {
        let field = pointer.trim_start_matches('/').split('/').next();
        let own = field.and_then(|field| self.variables.get(field));
        own.map_or("the environment", String::as_str)
    }

    fn set(&mut self, field: &'static str, variable: &str, value: impl Into<Value>) {
        self.body.insert(field.to_owned(), value.into());
        self.variables.insert(field, variable.to_owned());
    }
}

/// The channels that the variables describe; none if they name no region and no `BEDROCK_…` variable is set.
///
/// # Errors
///
/// When they contradict each other or lack a region.
pub(crate) fn describe(variables: &Variables) -> Result<Vec<Described>, EnvironmentError> {
    let region = variables.first(&REGIONS)?;
    let mut names = variables.channels()?;
    if names.is_empty() && region.is_some() {
        names.insert(String::new());
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let credentials = credentials(variables)?;
    let channels = names.iter().map(|name| {
        let mut own = channel(variables, name, region)?;
        let (variable, value) = &credentials;
        own.set("credentials", variable, value.clone());
        Ok(own)
    });
    channels.collect()
}

/// The channel with this name between `BEDROCK` and the rest; empty for the one without.
fn channel(
    variables: &Variables,
    name: &str,
    region: Option<(&str, &str)>,
) -> Result<Described, EnvironmentError> {
    let variable = |rest: &str| variables::name_of(name, rest);
    let [base_url, models, map] = variables::FIELDS.map(variable);
    let mut own = Described {
        body: Map::new(),
        variables: BTreeMap::new(),
    };
    let channel_name = match name {
        "" => UNNAMED.to_owned(),
        name => name.to_ascii_lowercase().replace('_', "-"),
    };
    own.body.insert("name".to_owned(), channel_name.into());
    place(
        &mut own,
        (base_url.as_str(), variables.get(&base_url)?),
        region,
    )?;
    if let Some(list) = variables.get(&models)? {
        let list = list.split(|c: char| c == ',' || c.is_whitespace());
        let list: Vec<_> = list.filter(|name| !name.is_empty()).collect();
        own.set("models", &models, list);
    }
    if let Some(text) = variables.get(&map)? {
        own.set("inference_profile_arn_map", &map, text);
    }
    Ok(own)
}

/// Sets region and endpoint: the base URL may name either, or both.
fn place(
    own: &mut Described,
    (variable, base_url): (&str, Option<&str>),
    region: Option<(&str, &str)>,
) -> Result<(), EnvironmentError> {
    let named = base_url.filter(|text| !text.contains("://"));
    if let Some(named) = named {
        own.set("region", variable, named);
        return Ok(());
    }
    let endpoint = base_url.and_then(|text| Endpoint::parse(text).ok());
    let of_host = endpoint.as_ref().and_then(Endpoint::aws_region);
    let place = of_host.map(|of_host| (variable, of_host)).or(region);
    let Some((source, place)) = place else {
        return Err(EnvironmentError::NoRegion(variable.to_owned()));
    };
    let is_public = Endpoint::of_region(place, HostVariant::Standard).ok() == endpoint;
    own.set("region", source, place);
    if let Some(text) = base_url.filter(|_| !is_public) {
        own.set("endpoint", variable, text);
    }
    Ok(())
}

/// The credentials of every channel, and the variable that they come from.
fn credentials(variables: &Variables) -> Result<(&'static str, Value), EnvironmentError> {
    if let Some(key) = variables.get(API_KEY)? {
        let key = json!({ "type": "bedrock_api_key", "api_key": key });
        return Ok((API_KEY, key));
    }
    let id = variables.get(ACCESS_KEY_ID)?;
    let secret = variables.get(SECRET_ACCESS_KEY)?;
    let token = variables.get(SESSION_TOKEN)?;
    match (id, secret) {
        (Some(id), Some(secret)) => check_key(id, secret, token)?,
        (Some(_), None) => return Err(EnvironmentError::Half(ACCESS_KEY_ID, SECRET_ACCESS_KEY)),
        (None, Some(_)) => return Err(EnvironmentError::Half(SECRET_ACCESS_KEY, ACCESS_KEY_ID)),
        (None, None) => {}
    }
    // The chain reads the same variables, so a key that changes there is used from the next start on.
    Ok(("AWS's own variables", json!({ "type": "default_chain" })))
}

/// Refuses a key that was damaged on its way into the environment.
fn check_key(id: &str, secret: &str, token: Option<&str>) -> Result<(), EnvironmentError> {
    let token = token.map(Secret::new);
    let notes = KeyNotes::of_access_key(id, &Secret::new(secret), token.as_ref());
    let Some(fault) = notes.faults.into_iter().next() else {
        return Ok(());
    };
    let variable = match fault.pointer.as_str() {
        "/access_key_id" => ACCESS_KEY_ID,
        "/session_token" => SESSION_TOKEN,
        _ => SECRET_ACCESS_KEY,
    };
    Err(EnvironmentError::Invalid(vec![format!(
        "{variable} {}",
        fault.message
    )]))
}

#[cfg(test)]
mod tests;
