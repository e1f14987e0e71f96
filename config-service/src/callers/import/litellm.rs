//! Keys of `LiteLLM`: rows of its table `LiteLLM_VerificationToken`, as `GET /key/list?return_full_object=true` and
//! exports of the database show them
//! (<https://github.com/BerriAI/litellm/blob/main/litellm/proxy/schema.prisma>). A key is there as its SHA-256.

use bedrock_filter::config::KeyDigest;

use super::entries::Entry;
use super::field::Fields;
use super::{Brought, labelled};
use crate::caller::{Caller, Timestamp, Usd, is_empty_key};

/// Fields about the past, or about what `LiteLLM` itself does with a key.
const IDLE: [&str; 18] = [
    "spend",
    "soft_budget_cooldown",
    "model_spend",
    "budget_reset_at",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "last_active",
    "last_rotation_at",
    "rotation_count",
    "rotation_interval",
    "key_rotation_at",
    "user",
    "user_email",
    "created_by_user",
    "key_type",
    "last_refreshed_at",
];

/// How long months are: what `budget_duration` says for one.
const MONTHS: [&str; 4] = ["1mo", "30d", "31d", "monthly"];

/// What an entry says about a key.
pub(super) fn read(entry: &Entry) -> Brought {
    let mut fields = Fields::new(entry, &IDLE);
    let digest = digest(&mut fields);
    let key_name = fields.text("key_name").unwrap_or_default();
    let alias = fields.text("key_alias");
    let expires_at = expires(&mut fields);
    let mut caller = Caller {
        enabled: !fields.flag("blocked"),
        rpm: fields.limit("rpm_limit"),
        tpm: fields.limit("tpm_limit"),
        concurrent_requests: fields.limit("max_parallel_requests"),
        labels: labelled(
            "litellm",
            [
                ("key_alias", fields.label("key_alias")),
                ("user_id", fields.label("user_id")),
                ("team_id", fields.label("team_id")),
            ],
        ),
        ..Caller::default()
    };
    models(&mut fields, &mut caller);
    budget(&mut fields, &mut caller);
    if fields.text("team_id").is_some() {
        let message = "names a team, whose own models, limits and budget are not in an export of keys; set those that \
                       matter on the caller afterwards";
        fields.lose("team_id", message);
    }
    fields.lose_the_rest();
    Brought {
        name: alias.map(str::to_owned),
        fallback: "litellm",
        caller,
        key_name: key_name.to_owned(),
        digest,
        expires_at,
        faults: fields.faults,
        losses: fields.losses,
    }
}

/// The hash; very old versions stored the key itself.
fn digest(fields: &mut Fields<'_>) -> Option<KeyDigest> {
    let text = fields.text("token");
    let read = text.and_then(|text| match is_key(text) {
        true => Some(KeyDigest::of(text.as_bytes())),
        false => text.parse().ok().filter(|own| !is_empty_key(own)),
    });
    if read.is_none()
        && !fields
            .faults
            .iter()
            .any(|own| own.pointer.ends_with("/token"))
    {
        let message = "must be the SHA-256 of a key as 64 hexadecimal digits (the value is hidden); a list of keys has \
                       it only with return_full_object=true";
        fields.fault("token", "invalid_key_hash", message);
    }
    read
}

/// Whether it is a whole key: what is shown of one has dots in it.
fn is_key(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.starts_with("sk-") && text.bytes().all(is_part)
}

/// When the key expires. `LiteLLM` keeps UTC, and its database does not say so.
fn expires(fields: &mut Fields<'_>) -> Option<Timestamp> {
    let text = fields.text("expires")?;
    let time = text.parse().or_else(|_| format!("{text}Z").parse());
    if time.is_err() {
        let message = "must be a time such as 2027-01-31T18:00:00Z";
        fields.fault("expires", "invalid_time", message);
    }
    time.ok()
}

fn models(fields: &mut Fields<'_>, caller: &mut Caller) {
    let Some(value) = fields.get("models") else {
        return;
    };
    let Some(names) = value.as_array() else {
        let message = "must be a list of names";
        return fields.fault("models", "invalid_type", message);
    };
    for name in names {
        match name.as_str() {
            None => fields.fault("models", "not_a_string", "must be a list of names"),
            // Everything, whatever else is in the list.
            Some("all-proxy-models") => {
                caller.models.clear();
                return;
            }
            Some("all-team-models") => {
                let message = "allows what a team may use, which is not in an export of keys; the caller would be \
                               disabled until you set its `models` and enable it";
                fields.lose("models", message);
                caller.enabled = false;
            }
            Some("no-default-models") => {
                let message = "allows no model; the caller would be disabled until you set its `models` and enable it";
                fields.lose("models", message);
                caller.enabled = false;
            }
            Some(name) => caller.models.push(name.to_owned()),
        }
    }
}

/// A budget for a month; there is no other here.
fn budget(fields: &mut Fields<'_>, caller: &mut Caller) {
    let duration = fields.text("budget_duration");
    let Some(value) = fields.get("max_budget") else {
        return;
    };
    let Some(dollars) = value.as_f64().filter(|dollars| *dollars >= 0.0) else {
        let message = "must be a number of US dollars that is not negative";
        return fields.fault("max_budget", "out_of_range", message);
    };
    match duration {
        Some(duration) if MONTHS.contains(&duration) => {
            let budget = Usd::at_least(dollars);
            if !budget.is(dollars) {
                let message = format!(
                    "has fractions of a cent, and budgets here do not; it would be {budget} US dollars"
                );
                fields.lose("max_budget", &message);
            }
            caller.monthly_usd = Some(budget);
        }
        _ => {
            let message = "is not for a month (`budget_duration`), and budgets here are; set `monthly_usd` on the \
                           caller afterwards";
            fields.lose("max_budget", message);
        }
    }
}
