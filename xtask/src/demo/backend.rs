//! What answers the demo's chats, and the channel that leads there.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Site;
use crate::{console, http};

/// The demo's model: the name that is mapped to [`ARN`].
pub(super) const DEFAULT_MODEL: &str = "claude-sonnet-4-5";

/// Another name for it, for clients that know only OpenAI's models.
pub(super) const ALIAS: &str = "gpt-4o";

/// Application inference profile of the simulator's account.
const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

/// Region of the simulator, and its only credentials.
pub(super) const REGION: &str = "us-east-1";
pub(super) const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// What answers the demo's chats.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Backend {
    /// The local simulator.
    Simulator,
    /// Amazon Bedrock.
    Aws(AwsAccess),
    /// Nothing: no channel.
    Empty,
}

/// Region and credentials from the environment. Has no `Debug`, because the secret must not be
/// shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct AwsAccess {
    region: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Backend {
    pub(super) fn choose(aws: bool, empty: bool) -> Result<Self> {
        Ok(match (aws, empty) {
            (true, _) => Self::Aws(AwsAccess::from_environment()?),
            (_, true) => Self::Empty,
            _ => Self::Simulator,
        })
    }

    /// Creates the demo's channel and returns its id; `None` when there is none to create.
    pub(super) fn create_channel(&self, site: &Site<'_>) -> Result<Option<String>> {
        let Some(channel) = self.channel(site.ports.simulator) else {
            return Ok(None);
        };
        console::step("creating the demo channel");
        let answer = http::post(
            &format!("{}/api/channels", site.admin()),
            &site.token,
            &channel,
        )?;
        ensure!(
            answer.status == 201 || answer.status == 200,
            "the config-service refused the channel: {} {}",
            answer.status,
            answer.body
        );
        let json = answer.json()?;
        match json.get("id") {
            Some(Value::String(id)) => Ok(Some(id.clone())),
            Some(Value::Number(id)) => Ok(Some(id.to_string())),
            _ => bail!("the created channel has no id: {}", answer.body),
        }
    }

    fn channel(&self, simulator_port: u16) -> Option<Value> {
        match self {
            Self::Empty => None,
            Self::Aws(access) => Some(access.channel()),
            Self::Simulator => Some(json!({
                "name": "demo",
                "region": REGION,
                "endpoint": format!("http://127.0.0.1:{simulator_port}"),
                "credentials": {
                    "type": "static",
                    "access_key_id": ACCESS_KEY_ID,
                    "secret_access_key": SECRET_ACCESS_KEY,
                },
                "model_mapping": { ALIAS: DEFAULT_MODEL },
                "inference_profile_arn_map": { DEFAULT_MODEL: ARN },
            })),
        }
    }
}

impl AwsAccess {
    fn from_environment() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let needed = |name: &str| {
            variable(name).with_context(|| {
                format!(
                    "{name} is not set; --aws needs it in the \
                environment"
                )
            })
        };
        Ok(Self {
            region: variable("AWS_REGION")
                .or_else(|| variable("AWS_DEFAULT_REGION"))
                .context(
                    "no region; --aws needs AWS_REGION or AWS_DEFAULT_REGION in the \
                    environment",
                )?,
            access_key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret_access_key: needed("AWS_SECRET_ACCESS_KEY")?,
            session_token: variable("AWS_SESSION_TOKEN"),
        })
    }

    fn channel(&self) -> Value {
        let mut credentials = json!({
            "type": "static",
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        });
        if let (Some(token), Some(object)) = (&self.session_token, credentials.as_object_mut()) {
            object.insert("session_token".to_owned(), json!(token));
        }
        json!({
            "name": "demo",
            "region": self.region,
            "credentials": credentials,
            "model_mapping": { ALIAS: DEFAULT_MODEL },
        })
    }
}
