//! `config-service export` and `config-service apply`: channels as a file, through the API.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::{Value, json};

use super::say;
use crate::args::Remote;
use crate::outbound::{Outbound, Reach};

/// What a read adds and an edit does not need.
const READ_ONLY: [&str; 6] = [
    "id",
    "revision",
    "created_at",
    "updated_at",
    "warnings",
    "credential_status",
];

/// Writes all channels to standard output, as YAML; secrets are shown as fingerprints.
pub(super) async fn export(remote: &Remote) -> Result<()> {
    let mut api = Api::new(remote)?;
    let channels = api.channels().await?;
    let document = json!({ "channels": channels });
    say(serde_saphyr::to_string(&document)?.trim_end())
}

/// Makes the channels of a file what the file says; others stay as they are.
pub(super) async fn apply(remote: &Remote, file: &Path, dry_run: bool) -> Result<()> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    // Without its cause, which would quote the file, and the file may have secrets in it.
    let document: Value = serde_saphyr::from_str(&text)
        .map_err(|_| anyhow!("{} is neither YAML nor JSON", file.display()))?;
    let wanted = document.get("channels").and_then(Value::as_array);
    let wanted = wanted.context("the file has no list `channels`")?;
    let mut api = Api::new(remote)?;
    let stored = api.channels().await?;
    let mut refused = 0;
    for channel in wanted {
        let name = channel.get("name").and_then(Value::as_str);
        let name = name.context("a channel of the file has no `name`")?;
        let before = stored.iter().find(|own| own["name"] == name);
        let verdict = if dry_run {
            foreseen(before, channel)
        } else {
            match api.put(name, channel).await {
                Ok(revision) => made(before.is_some(), revision, &api),
                Err(error) => {
                    refused += 1;
                    format!("refused: {error:#}")
                }
            }
        };
        say(&format!("{name}: {verdict}"))?;
    }
    ensure!(refused == 0, "{refused} channels were refused");
    Ok(())
}

/// What would become of a channel.
fn foreseen(before: Option<&Value>, channel: &Value) -> String {
    let Some(before) = before else {
        return "would be created".to_owned();
    };
    let members = channel.as_object().into_iter().flatten();
    let changed: Vec<_> = members
        .filter(|(name, value)| before.get(*name) != Some(*value))
        .map(|(name, _)| name.as_str())
        .collect();
    if changed.is_empty() {
        "would stay as it is".to_owned()
    } else {
        format!("would change in {}", changed.join(", "))
    }
}

fn made(existed: bool, revision: u64, api: &Api<'_>) -> String {
    match existed {
        false => format!("created by revision {revision}"),
        true if revision > api.revision => format!("changed by revision {revision}"),
        true => "as it was".to_owned(),
    }
}

/// The admin API of a running service.
struct Api<'r> {
    outbound: Outbound,
    remote: &'r Remote,
    /// The revision when the channels were read.
    revision: u64,
}

impl<'r> Api<'r> {
    fn new(remote: &'r Remote) -> Result<Self> {
        let mut outbound = Outbound::new(Reach::Everywhere);
        if let Some(file) = &remote.ca_file {
            outbound = outbound.trusting(file).map_err(|reason| anyhow!(reason))?;
        }
        Ok(Self {
            outbound,
            remote,
            revision: 0,
        })
    }

    /// All channels as bodies of an edit.
    async fn channels(&mut self) -> Result<Vec<Value>> {
        let list = self.send(Method::GET, "/api/channels", "").await?;
        self.revision = revision_of(&list);
        let channels = list.get("channels").and_then(Value::as_array).cloned();
        let channels = channels.unwrap_or_default();
        Ok(channels.into_iter().map(editable).collect())
    }

    /// Replaces or creates a channel; gives the revision of its last edit.
    async fn put(&self, name: &str, channel: &Value) -> Result<u64> {
        let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("/api/channels/by-name/{name}");
        let view = self.send(Method::PUT, &path, &channel.to_string()).await?;
        Ok(revision_of(&view))
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> Result<Value> {
        let server = self.remote.server.trim_end_matches('/');
        let url: Url = format!("{server}{path}")
            .parse()
            .with_context(|| format!("{server} is no address of a server"))?;
        let mut bearer = HeaderValue::try_from(self.remote.token.bearer()?.expose())
            .context("the token has characters in it that HTTP cannot carry")?;
        bearer.set_sensitive(true);
        let mut request = Request::new(method, url);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        *request.body_mut() = Some(body.to_owned().into());
        let answer = self.outbound.call(request).await;
        let answer = answer.map_err(|error| anyhow!("{server}: {error}"))?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if !status.is_success() {
            bail!("{status}: {}", reasons(&body));
        }
        Ok(body)
    }
}

fn revision_of(document: &Value) -> u64 {
    let revision = document.get("revision").and_then(Value::as_u64);
    revision.unwrap_or(0)
}

fn editable(mut channel: Value) -> Value {
    if let Some(fields) = channel.as_object_mut() {
        fields.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    }
    channel
}

/// Every fault of a problem document.
fn reasons(problem: &Value) -> String {
    let detail = problem["detail"].as_str().unwrap_or("no reason was given");
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.fold(detail.to_owned(), |text, error| {
        let of = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        format!("{text}; {} {}", of("pointer"), of("message"))
    })
}
