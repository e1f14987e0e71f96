//! `config-service caller` and `config-service key`, through the API.

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::channels::{Api, segment};
use super::say;
use crate::args::{CallerCommand, CallerRuleArgs, KeyCommand};

pub(super) async fn run(command: CallerCommand) -> Result<()> {
    match command {
        CallerCommand::List { remote } => {
            for caller in Api::new(&remote)?.callers().await? {
                say(&line(&caller))?;
            }
            Ok(())
        }
        CallerCommand::Create {
            name,
            models,
            channels,
            rpm,
            tpm,
            rules,
            remote,
        } => {
            let api = Api::new(&remote)?;
            let mut body = json!({"name": name, "models": models, "channels": channels, "rpm": rpm, "tpm": tpm});
            if let Some(body) = body.as_object_mut() {
                body.extend(rule_fields(&rules)?);
            }
            let caller = api
                .send(Method::POST, "/api/callers", &body.to_string())
                .await?;
            let path = path_of(&caller)?;
            print_key(&api, &format!("{path}/keys"), &json!({})).await
        }
        CallerCommand::Delete { name, remote } => {
            let api = Api::new(&remote)?;
            let path = find(&api, &name).await?;
            api.send(Method::DELETE, &path, "").await?;
            say("deleted")
        }
        CallerCommand::Mode { mode, remote } => {
            let api = Api::new(&remote)?;
            let settings = "/api/caller-settings";
            let view = match mode {
                None => api.send(Method::GET, settings, "").await?,
                Some(mode) => {
                    let body = json!({"mode": mode}).to_string();
                    api.send(Method::PATCH, settings, &body).await?
                }
            };
            say(text(&view, "mode"))
        }
        CallerCommand::Import {
            from,
            file,
            dry_run,
            accept_losses,
            remote,
        } => {
            let export = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let path = format!(
                "/api/callers/import?from={from}&dry_run={dry_run}&accept_losses={accept_losses}"
            );
            let report = Api::new(&remote)?
                .send(Method::POST, &path, &export)
                .await?;
            tell_import(&report, dry_run)
        }
        CallerCommand::Forecast { remote } => {
            let api = Api::new(&remote)?;
            let path = "/api/caller-settings/forecast";
            let forecast = api.send(Method::GET, path, "").await?;
            say(serde_saphyr::to_string(&forecast)?.trim_end())
        }
    }
}

pub(super) async fn run_key(command: KeyCommand) -> Result<()> {
    match command {
        KeyCommand::Create {
            caller,
            name,
            expires_at,
            key_hash,
            remote,
        } => {
            let api = Api::new(&remote)?;
            let keys = format!("{}/keys", find(&api, &caller).await?);
            let body = json!({"name": name, "expires_at": expires_at, "key_hash": key_hash});
            print_key(&api, &keys, &body).await
        }
        KeyCommand::List { caller, remote } => {
            let api = Api::new(&remote)?;
            let path = find(&api, &caller).await?;
            let view = api.send(Method::GET, &path, "").await?;
            for key in view
                .get("keys")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let shown = ["id", "hint", "created_at", "expires_at", "name"];
                let shown = shown.map(|name| text(key, name)).join("  ");
                let used = last_used(key);
                say(&format!("{}{used}", shown.trim_end()))?;
            }
            Ok(())
        }
        KeyCommand::Rotate {
            caller,
            key,
            overlap_seconds,
            remote,
        } => {
            let api = Api::new(&remote)?;
            let path = find(&api, &caller).await?;
            let rotate = format!("{path}/keys/{}/rotate", segment(&key));
            print_key(&api, &rotate, &json!({"overlap_seconds": overlap_seconds})).await
        }
        KeyCommand::Revoke {
            caller,
            key,
            remote,
        } => {
            let api = Api::new(&remote)?;
            let path = find(&api, &caller).await?;
            let key = format!("{path}/keys/{}", segment(&key));
            api.send(Method::DELETE, &key, "").await?;
            say("revoked")
        }
    }
}

/// A caller's fields that say what goes for its requests.
fn rule_fields(rules: &CallerRuleArgs) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    if let Some(guardrail) = &rules.guardrail {
        // An ARN has colons too.
        let parts = guardrail.rsplit_once(':');
        let (identifier, version) = parts.context("--guardrail must be IDENTIFIER:VERSION")?;
        let guardrail = json!({"identifier": identifier, "version": version});
        fields.insert("guardrail".to_owned(), guardrail);
    }
    if let Some(tier) = &rules.service_tier {
        fields.insert("service_tier".to_owned(), json!(tier));
    }
    let labels = rules.request_metadata.iter().map(|label| {
        let parts = label.split_once('=');
        let (key, value) = parts.context("--request-metadata must be KEY=VALUE,…")?;
        Ok((key.to_owned(), json!(value)))
    });
    let labels = labels.collect::<Result<Map<_, _>>>()?;
    fields.insert("request_metadata".to_owned(), Value::Object(labels));
    fields.extend(
        rules
            .refuse
            .iter()
            .map(|name| (name.clone(), json!("refused"))),
    );
    Ok(fields)
}

/// The path of a caller's resource.
async fn find(api: &Api<'_>, name: &str) -> Result<String> {
    let all = api.callers().await?;
    let found = all.iter().find(|own| text(own, "name") == name);
    path_of(found.with_context(|| format!("there is no caller `{name}`"))?)
}

fn path_of(caller: &Value) -> Result<String> {
    let id = caller.get("id").and_then(Value::as_str);
    let id = id.context("the service did not say which caller that is")?;
    Ok(format!("/api/callers/{id}"))
}

/// Has a key made, and prints it; or its hint, if only its hash was brought.
async fn print_key(api: &Api<'_>, path: &str, body: &Value) -> Result<()> {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let created = api.send(Method::POST, path, &body.to_string()).await?;
    match text(&created, "key") {
        "" => say(text(&created, "hint")),
        key => say(key),
    }
}

fn line(caller: &Value) -> String {
    let keys = caller.get("keys").and_then(Value::as_array);
    let keys = keys.map_or(0, Vec::len);
    let is_enabled = caller.get("enabled").and_then(Value::as_bool);
    let state = if is_enabled == Some(false) {
        "disabled"
    } else {
        "enabled"
    };
    format!(
        "{}  {keys} keys  {state}  {}{}",
        text(caller, "id"),
        text(caller, "name"),
        last_used(caller)
    )
}

/// Writes what an import did, or would do.
fn tell_import(report: &Value, is_dry_run: bool) -> Result<()> {
    let list = |name: &str| report.get(name).and_then(Value::as_array).cloned();
    let callers = list("callers").unwrap_or_default();
    let done = if is_dry_run {
        "would be created"
    } else {
        "created"
    };
    for caller in &callers {
        let (name, hint) = (text(caller, "name"), text(caller, "hint"));
        say(&format!("{name}: {done} with the key {hint}"))?;
    }
    for loss in list("losses").unwrap_or_default() {
        say(&format!("not kept: {}", text(&loss, "message")))?;
    }
    let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (known, losses) = (number("known"), number("loss_count"));
    let revoked = match number("revoked") {
        0 => String::new(),
        revoked => format!("{revoked} were revoked here and stay so, "),
    };
    let created = callers.len();
    say(&format!(
        "{created} callers {done}, {known} keys were known already, {revoked}{losses} losses"
    ))
}

/// When a caller or key was last used, if that is known.
fn last_used(view: &Value) -> String {
    match text(view, "last_used_at") {
        "" => String::new(),
        at => format!("  last used {at}"),
    }
}

/// The text of a member; empty if there is none.
fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
