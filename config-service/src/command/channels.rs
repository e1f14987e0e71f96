//! `config-service export` and `config-service apply`: channels as a file, through the API.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use axum::body::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request, Response, Url};
use serde_json::{Value, json};

use super::documents::{check_names, in_order, read};
use super::say;
use crate::args::Remote;
use crate::export::Target;
use crate::outbound::{Outbound, Reach};

/// What a read adds that an edit does not need.
const READ_ONLY: [&str; 8] = [
    "id",
    "used_by",
    "source",
    "revision",
    "created_at",
    "updated_at",
    "warnings",
    "credential_status",
];

/// The same of a caller.
const READ_ONLY_OF_CALLER: [&str; 6] = [
    "id",
    "revision",
    "created_at",
    "updated_at",
    "last_used_at",
    "keys",
];

/// Whether edits are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// They are.
    Made,
    /// It is only said what they would do.
    Foreseen,
}

/// Which of an account's answers are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// Those to questions that are asked now.
    New,
    /// Those of the last time.
    Last,
}

/// Writes everything that is edited to standard output, as YAML; secrets are shown as fingerprints.
pub(super) async fn export(remote: &Remote) -> Result<()> {
    let mut api = Api::new(remote)?;
    let mut document = json!({ "channels": api.channels().await? });
    let credentials = api.credentials().await?;
    if let (Some(fields), false) = (document.as_object_mut(), credentials.is_empty()) {
        fields.insert("credentials".to_owned(), credentials.into());
    }
    let choices = api.choices().await?;
    if let (Some(fields), false) = (document.as_object_mut(), choices.is_empty()) {
        fields.insert("model_choices".to_owned(), choices.into());
    }
    let callers = api.callers().await?;
    if let (Some(fields), false) = (document.as_object_mut(), callers.is_empty()) {
        let callers = callers.into_iter().map(editable_caller);
        fields.insert("callers".to_owned(), callers.collect());
    }
    say(serde_saphyr::to_string(&document)?.trim_end())
}

/// Writes a manifest for Istio to a file, or to standard output.
pub(super) async fn export_istio(
    remote: &Remote,
    target: &Target,
    output: Option<&Path>,
) -> Result<()> {
    let api = Api::new(remote)?;
    let parameters = serde_json::to_value(target)?;
    let parameters = parameters.as_object().into_iter().flatten();
    let pairs = parameters.filter_map(|(name, value)| Some((name, value.as_str()?)));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let path = format!("/api/export/istio?{query}");
    let manifest = api.call(Method::GET, &path, "").await?;
    if let Some(file) = output {
        return std::fs::write(file, &manifest)
            .with_context(|| format!("cannot write {}", file.display()));
    }
    let manifest = std::str::from_utf8(&manifest).context("the manifest is not text")?;
    say(manifest.trim_end())
}

/// Changes what is stored to match a file, or says what that would do; what the file does not name stays as it is.
pub(super) async fn apply(remote: &Remote, file: &Path, effect: Effect) -> Result<()> {
    let document = read(file)?;
    let list = |name: &str| document.get(name).and_then(Value::as_array);
    let (channels, callers) = (list("channels"), list("callers"));
    let (credentials, choices) = (list("credentials"), list("model_choices"));
    ensure!(
        channels.or(callers).or(credentials).or(choices).is_some(),
        "the file has no list `channels`, `credentials`, `model_choices` or `callers`"
    );
    let all = [
        ("channel", channels),
        ("caller", callers),
        ("credential", credentials),
        ("model choice", choices),
    ];
    for (kind, list) in all {
        check_names(kind, list.into_iter().flatten())?;
    }
    let mut api = Api::new(remote)?;
    // Before the channels, which may refer to them.
    if let Some(credentials) = credentials {
        let stored = api.credentials().await?;
        api.revision = revision_of(&api.send(Method::GET, "/api/credentials", "").await?);
        apply_all(&api, ("credential", credentials), &stored, effect).await?;
    }
    if let Some(channels) = channels {
        let stored = api.channels().await?;
        apply_all(&api, ("channel", channels), &stored, effect).await?;
    }
    if let Some(choices) = choices {
        let stored = api.choices().await?;
        api.revision = revision_of(&api.send(Method::GET, "/api/model-choices", "").await?);
        let choices = in_order(choices);
        apply_all(&api, ("model choice", &choices), &stored, effect).await?;
    }
    if let Some(callers) = callers {
        let stored = api.callers().await?;
        let stored: Vec<_> = stored.into_iter().map(editable_caller).collect();
        api.revision = revision_of(&api.send(Method::GET, "/api/callers?limit=1", "").await?);
        apply_all(&api, ("caller", callers), &stored, effect).await?;
    }
    Ok(())
}

/// Changes what is stored of one kind to match what is wanted.
async fn apply_all(
    api: &Api<'_>,
    (kind, wanted): (&str, &[Value]),
    stored: &[Value],
    effect: Effect,
) -> Result<()> {
    let mut refused = 0;
    for document in wanted {
        let name = document.get("name").and_then(Value::as_str);
        let name = name.with_context(|| format!("a {kind} in the file has no `name`"))?;
        let before = stored.iter().find(|own| own["name"] == name);
        let verdict = match effect {
            Effect::Foreseen => foreseen(before, document),
            Effect::Made => match api.put((kind, name), document).await {
                Ok(view) => made(before, &view, api),
                Err(error) => {
                    refused += 1;
                    format!("refused: {error:#}")
                }
            },
        };
        say(&format!("{name}: {verdict}"))?;
    }
    ensure!(refused == 0, "{refused} {kind}s were refused");
    Ok(())
}

/// Writes what a channel's account has, as YAML. If something could not be found out, it writes the rest and fails.
pub(super) async fn discover(remote: &Remote, name: &str, answers: Answers) -> Result<()> {
    let api = Api::new(remote)?;
    let id = api.id_of(name).await?;
    let method = match answers {
        Answers::Last => Method::GET,
        Answers::New => Method::POST,
    };
    let path = format!("/api/channels/{id}/discovery");
    let report = api.send(method, &path, "").await?;
    say(serde_saphyr::to_string(&report)?.trim_end())?;
    let problems = report.pointer("/discovery/problems");
    let problems = problems.and_then(Value::as_array);
    let problems = problems.map_or(0, Vec::len);
    ensure!(
        problems == 0,
        "{problems} questions were not answered; `problems` says why"
    );
    Ok(())
}

/// What would happen to a channel.
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

/// What happened to a channel, and what is suspicious in it now.
fn made(before: Option<&Value>, view: &Value, api: &Api<'_>) -> String {
    let revision = revision_of(view);
    let done = match before {
        None => format!("created by revision {revision}"),
        Some(_) if revision > api.revision => format!("changed by revision {revision}"),
        Some(_) => return "as it was".to_owned(),
    };
    done + &notes(&view["warnings"], "warning: ")
}

/// The admin API of a running service.
pub(super) struct Api<'r> {
    outbound: Outbound,
    remote: &'r Remote,
    /// The revision when the channels were read.
    revision: u64,
}

impl<'r> Api<'r> {
    pub(super) fn new(remote: &'r Remote) -> Result<Self> {
        let mut outbound = Outbound::new(Reach::Everywhere);
        if let Some(file) = &remote.ca_file {
            outbound = outbound.trusting(file)?;
        }
        Ok(Self {
            outbound,
            remote,
            revision: 0,
        })
    }

    /// The id of a channel.
    pub(super) async fn id_of(&self, name: &str) -> Result<String> {
        let list = self.send(Method::GET, "/api/channels", "").await?;
        let all = list.get("channels").and_then(Value::as_array);
        let mut all = all.into_iter().flatten();
        let found = all.find(|own| own.get("name").is_some_and(|own| own == name));
        let id = found.and_then(|own| own.get("id")?.as_str());
        let id = id.with_context(|| format!("there is no channel `{name}`"))?;
        Ok(id.to_owned())
    }

    /// All channels as bodies of an edit.
    async fn channels(&mut self) -> Result<Vec<Value>> {
        let list = self.send(Method::GET, "/api/channels", "").await?;
        self.revision = revision_of(&list);
        let channels = list.get("channels").and_then(Value::as_array).cloned();
        let channels = channels.unwrap_or_default();
        Ok(channels.into_iter().map(editable).collect())
    }

    /// All shared credentials as bodies of an edit.
    async fn credentials(&self) -> Result<Vec<Value>> {
        let list = self.send(Method::GET, "/api/credentials", "").await?;
        let all = list.get("credentials").and_then(Value::as_array).cloned();
        Ok(all.unwrap_or_default().into_iter().map(editable).collect())
    }

    /// All stored names that choose, as bodies of an edit.
    async fn choices(&self) -> Result<Vec<Value>> {
        let list = self.send(Method::GET, "/api/model-choices", "").await?;
        let all = list.get("model_choices").and_then(Value::as_array).cloned();
        let mut all = all.unwrap_or_default();
        // The others are in a file already.
        all.retain(|own| own["source"] == "stored");
        Ok(all.into_iter().map(editable).collect())
    }

    /// All callers, as the API shows them.
    pub(super) async fn callers(&self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut path = "/api/callers?limit=1000".to_owned();
        loop {
            let page = self.send(Method::GET, &path, "").await?;
            let callers = page.get("callers").and_then(Value::as_array).cloned();
            all.extend(callers.unwrap_or_default());
            let Some(next) = page.get("next_page_token").and_then(Value::as_str) else {
                return Ok(all);
            };
            path = format!("/api/callers?limit=1000&page_token={}", segment(next));
        }
    }

    /// Replaces or creates what is called so; returns it.
    async fn put(&self, (kind, name): (&str, &str), document: &Value) -> Result<Value> {
        let path = match kind {
            "credential" => format!("/api/credentials/{}", segment(name)),
            "model choice" => format!("/api/model-choices/{}", segment(name)),
            kind => format!("/api/{kind}s/by-name/{}", segment(name)),
        };
        self.send(Method::PUT, &path, &document.to_string()).await
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: &str) -> Result<Value> {
        let answer = self.call(method, path, body).await?;
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// A document that need not be JSON, and a header of the answer.
    pub(super) async fn text(&self, path: &str, header: &str) -> Result<(String, Option<String>)> {
        let answer = self.answer(Method::GET, path, "").await?;
        let value = answer.headers().get(header);
        let value = value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = body_of(answer).await?;
        Ok((String::from_utf8_lossy(&body).into_owned(), value))
    }

    /// The answer's body, whatever it contains.
    async fn call(&self, method: Method, path: &str, body: &str) -> Result<Bytes> {
        body_of(self.answer(method, path, body).await?).await
    }

    async fn answer(&self, method: Method, path: &str, body: &str) -> Result<Response> {
        let server = self.remote.server.trim_end_matches('/');
        let url: Url = format!("{server}{path}").parse().with_context(|| {
            format!(
                "{server} is not the URL of a server, such as \
                http://127.0.0.1:8080"
            )
        })?;
        let mut bearer = HeaderValue::try_from(self.remote.token.bearer()?.expose())
            .context("the token contains characters that an HTTP header cannot carry")?;
        bearer.set_sensitive(true);
        let mut request = Request::new(method, url);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        *request.body_mut() = Some(body.to_owned().into());
        let answer = self.outbound.call(request).await;
        answer.map_err(|error| anyhow!("{server}: {error}"))
    }
}

/// The body of an answer that is not a refusal.
async fn body_of(answer: Response) -> Result<Bytes> {
    let status = answer.status();
    let body = answer.bytes().await?;
    if !status.is_success() {
        let problem = serde_json::from_slice(&body).unwrap_or_default();
        bail!("{status}: {}", reasons(&problem));
    }
    Ok(body)
}

/// A text as a part of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn revision_of(document: &Value) -> u64 {
    let revision = document.get("revision").and_then(Value::as_u64);
    revision.unwrap_or(0)
}

fn editable(channel: Value) -> Value {
    without(channel, &READ_ONLY)
}

fn editable_caller(caller: Value) -> Value {
    without(caller, &READ_ONLY_OF_CALLER)
}

fn without(mut document: Value, names: &[&str]) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
    document
}

/// Every fault of a problem document.
fn reasons(problem: &Value) -> String {
    let detail = problem["detail"].as_str().unwrap_or("no reason was given");
    detail.to_owned() + &notes(&problem["errors"], "")
}

/// Faults or warnings, each on a line of its own.
fn notes(notes: &Value, kind: &str) -> String {
    let notes = notes.as_array().into_iter().flatten();
    let lines = notes.map(|note| {
        let of = |name: &str| note[name].as_str().unwrap_or_default();
        format!("\n  {kind}{}: {}", of("pointer"), of("message"))
    });
    lines.collect()
}
