//! Keys of one-api and its relatives: rows of the table `tokens`, as `GET /api/token` and exports of the database show
//! them (<https://github.com/songquanpeng/one-api/blob/main/model/token.go>).

use bedrock_filter::config::KeyDigest;

use super::entries::Entry;
use super::field::Fields;
use super::{Brought, labelled};
use crate::caller::{Caller, Timestamp};

/// Fields about the past.
const IDLE: [&str; 6] = [
    "used_quota",
    "created_time",
    "accessed_time",
    "created_at",
    "updated_at",
    "id",
];

/// What the database leaves out of a key.
const PREFIX: &str = "sk-";

/// How long a key is without its prefix: the second since 2023, the first before.
const LENGTHS: [usize; 2] = [32, 48];

/// What `status` says.
const ENABLED: i64 = 1;
const DISABLED: i64 = 2;
const EXPIRED: i64 = 3;
const EXHAUSTED: i64 = 4;

/// What `expired_time` says of a key that never does.
const NEVER: i64 = -1;

/// What an entry says about a key.
pub(super) fn read(entry: &Entry) -> Brought {
    let mut fields = Fields::new(entry, &IDLE);
    let digest = digest(&mut fields);
    let name = fields.text("name");
    let expires_at = expires(&mut fields);
    let caller = Caller {
        enabled: is_enabled(&mut fields, expires_at),
        models: models(&mut fields),
        labels: labelled(
            "one-api",
            [
                ("id", fields.label("id")),
                ("name", fields.label("name")),
                ("user_id", fields.label("user_id")),
            ],
        ),
        ..Caller::default()
    };
    quota(&mut fields);
    if fields.text("subnet").is_some() {
        let message = "restricts the addresses of clients, which is for Envoy's RBAC filter here; the key would work \
                       from everywhere";
        fields.lose("subnet", message);
    }
    fields.lose_the_rest();
    Brought {
        name: name.map(str::to_owned),
        fallback: "one-api",
        caller,
        key_name: name.unwrap_or_default().to_owned(),
        digest,
        expires_at,
        faults: fields.faults,
        losses: fields.losses,
    }
}

/// The hash of the key as clients send it.
fn digest(fields: &mut Fields<'_>) -> Option<KeyDigest> {
    let Some(text) = fields.text("key") else {
        if !fields
            .faults
            .iter()
            .any(|own| own.pointer.ends_with("/key"))
        {
            fields.fault("key", "required", "is required");
        }
        return None;
    };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let key = match text.split_once('-') {
        None if is_plain(text) && LENGTHS.contains(&text.len()) => format!("{PREFIX}{text}"),
        Some((_, rest)) if is_plain(rest) && LENGTHS.contains(&rest.len()) => text.to_owned(),
        _ => {
            let message = "must be a whole key of 48 letters and digits, with or without `sk-` (the value is hidden); \
                           some pages and APIs mask it, the table `tokens` of the database does not";
            fields.fault("key", "masked_key", message);
            return None;
        }
    };
    Some(KeyDigest::of(key.as_bytes()))
}

fn expires(fields: &mut Fields<'_>) -> Option<Timestamp> {
    let seconds = fields.integer("expired_time").filter(|own| *own != NEVER)?;
    let read = u64::try_from(seconds).ok();
    if read.is_none() {
        let message = "must be seconds since 1970, or -1 for never";
        fields.fault("expired_time", "out_of_range", message);
    }
    read.map(Timestamp::from_seconds)
}

fn is_enabled(fields: &mut Fields<'_>, expires_at: Option<Timestamp>) -> bool {
    match fields.integer("status") {
        None | Some(ENABLED) => true,
        // The time says the same.
        Some(EXPIRED) => expires_at.is_some(),
        Some(DISABLED) => false,
        Some(EXHAUSTED) => {
            let message =
                "says that the quota is used up; the caller would be disabled until you enable it";
            fields.lose("status", message);
            false
        }
        Some(_) => {
            fields.fault("status", "out_of_range", "must be 1, 2, 3 or 4");
            false
        }
    }
}

fn models(fields: &mut Fields<'_>) -> Vec<String> {
    let names = fields.text("models").unwrap_or_default().split(',');
    let names = names.map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// A quota is spent once, and does not come back; budgets here are for a month.
fn quota(fields: &mut Fields<'_>) {
    let is_unlimited = fields.flag("unlimited_quota");
    let remains = fields.integer("remain_quota").unwrap_or(0);
    if !is_unlimited {
        let message = format!(
            "is what is left of a quota that does not renew ({} US dollars, at the usual 500,000 a dollar), and budgets \
             here are for a month; set `monthly_usd` on the caller afterwards",
            remains / 500_000
        );
        fields.lose("remain_quota", &message);
    }
}
