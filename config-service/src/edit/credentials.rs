//! Reads `credentials`. No message here ever repeats a value.

use bedrock_filter::config::{Credentials, Secret};
use serde_json::value::RawValue;

use super::field;
use super::json::{Kind, Members};
use crate::fault::{Fault, child};

const FIELDS: [&str; 4] = [
    "type",
    "access_key_id",
    "secret_access_key",
    "session_token",
];

pub(super) fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Credentials> {
    if Kind::of(raw) != Kind::Object {
        let message = match Kind::of(raw) {
            Kind::Null => "cannot be cleared; leave it out to keep what is stored".to_owned(),
            kind => format!("expected an object, found {kind}"),
        };
        faults.push(Fault::new(at, "invalid_type", message));
        return None;
    }
    let Ok(Members(members)) = serde_json::from_str(raw.get()) else {
        faults.push(Fault::new(
            at,
            "invalid_json",
            "a key has an invalid escape sequence",
        ));
        return None;
    };
    let found_before = faults.len();
    check_names(&members, at, faults);
    let mut text = |name: &str| {
        let member = members.iter().find(|(key, _)| key == name);
        let at = child(at, name);
        match member {
            Some((_, raw)) => field::text(raw, &at, faults),
            None => {
                faults.push(Fault::new(at, "required", "is required"));
                None
            }
        }
    };
    let kind = text("type");
    let access_key_id = text("access_key_id");
    let secret_access_key = text("secret_access_key");
    if kind.is_some_and(|kind| kind != "static") {
        let message = "expected \"static\"";
        faults.push(Fault::new(child(at, "type"), "unknown_value", message));
    }
    let session_token = members
        .iter()
        .find(|(key, _)| key == "session_token")
        .and_then(|(_, raw)| field::nullable_text(raw, &child(at, "session_token"), faults))
        .flatten();
    if faults.len() > found_before {
        return None;
    }
    Some(Credentials::Static {
        access_key_id: access_key_id?,
        secret_access_key: Secret::new(secret_access_key?),
        session_token: session_token.map(Secret::new),
    })
}

fn check_names(members: &[(String, &RawValue)], at: &str, faults: &mut Vec<Fault>) {
    for (index, (name, _)) in members.iter().enumerate() {
        let at = child(at, name);
        if !FIELDS.contains(&name.as_str()) {
            faults.push(field::unknown(
                name,
                &at,
                &FIELDS,
                &["fingerprint", "has_session_token"],
            ));
        } else if members
            .iter()
            .take(index)
            .any(|(earlier, _)| earlier == name)
        {
            let message = "the field stands more than once; keep one of them";
            faults.push(Fault::new(at, "duplicate_field", message));
        }
    }
}
