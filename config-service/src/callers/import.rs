//! Takes over keys of other gateways, as their hashes, each with a caller of its own: there it had limits of its own.

mod entries;
mod field;
mod litellm;
mod one_api;

use std::collections::{BTreeMap, BTreeSet};

use bedrock_filter::config::{KeyDigest, is_name};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CallerError, Callers, apart, judge};
use crate::caller::{Caller, Timestamp, hint_of};
use crate::channels::{Author, Turn};
use crate::fault::{Fault, FaultSchema};
use crate::reader::SyntaxError;
use crate::store::{CallerChange, KeyChange, NewKey};
use entries::Entry;

/// Longest name of a caller.
const MAX_NAME: usize = 64;

/// Longest name of a key, in characters.
const MAX_KEY_NAME: usize = 100;

/// Where the keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `LiteLLM`'s proxy.
    Litellm,
    /// one-api, and what descends from it.
    OneApi,
}

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOrder {
    /// Where the keys come from.
    pub from: Origin,
    /// Whether nothing is to be changed.
    pub is_dry_run: bool,
    /// Whether to go on where something cannot be kept.
    pub accepts_losses: bool,
}

/// What became of an import, or would.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = CallerImport)]
pub struct ImportReport {
    /// Callers that were made, each with one key, in the order of the file.
    pub callers: Vec<ImportedCaller>,
    /// Keys that callers have already; they are left as they are.
    pub known: usize,
    /// Keys that were revoked here, by themselves or with their caller; they stay revoked.
    pub revoked: usize,
    /// What cannot be kept.
    #[schema(value_type = Vec<FaultSchema>)]
    pub losses: Vec<Fault>,
    /// How many losses there are, including those not listed.
    pub loss_count: usize,
}

/// A caller that was made for a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedCaller {
    /// Its name.
    pub name: String,
    /// What is shown of its key.
    pub hint: String,
    /// Its id; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub id: Option<String>,
}

/// What an export says about one key.
struct Brought {
    /// What it is called there.
    name: Option<String>,
    /// What to call it otherwise, followed by the start of its hash.
    fallback: &'static str,
    caller: Caller,
    key_name: String,
    digest: Option<KeyDigest>,
    expires_at: Option<Timestamp>,
    faults: Vec<Fault>,
    losses: Vec<Fault>,
}

/// A caller to be made, and its key.
struct Planned {
    caller: Caller,
    key_name: String,
    digest: KeyDigest,
    hint: String,
    expires_at: Option<Timestamp>,
}

/// What is to be done.
#[derive(Default)]
struct Plan {
    planned: Vec<Planned>,
    known: usize,
    revoked: usize,
    faults: Vec<Fault>,
    losses: Vec<Fault>,
}

impl Callers {
    /// Makes a caller for each key of an export, all of them or none. Keys that are known already are passed over, and so
    /// are those that were revoked here, so the same export can be imported again.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them. What cannot be kept is a fault too, unless the order
    /// accepts it.
    pub async fn import(
        &self,
        author: Author,
        order: ImportOrder,
        export: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<ImportReport, CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let revoked = turn.store().revoked_keys().await?;
            let mut plan = Plan::of(&turn, &revoked, order.from, export.as_ref())?;
            let is_only_asked = order.is_dry_run && plan.faults.is_empty();
            if !order.accepts_losses && !is_only_asked {
                plan.faults.append(&mut plan.losses);
            }
            if !plan.faults.is_empty() {
                return Err(CallerError::Export(plan.faults));
            }
            let mut report = plan.report();
            if !order.is_dry_run && !plan.planned.is_empty() {
                let ids = plan.carry_out(turn, &author).await?;
                for (caller, id) in report.callers.iter_mut().zip(ids) {
                    caller.id = Some(id);
                }
            }
            Ok(report)
        })
        .await
    }
}

impl Plan {
    fn of(
        turn: &Turn<'_>,
        revoked: &BTreeSet<String>,
        from: Origin,
        export: &[u8],
    ) -> Result<Self, CallerError> {
        let mut plan = Self::default();
        let entries = entries::read(text(export)?, &mut plan.faults)?;
        let book = &turn.contents().callers;
        let mut names: BTreeSet<_> = book
            .callers
            .iter()
            .map(|own| own.caller.name.clone())
            .collect();
        let known = book.callers.iter().flat_map(|own| &own.keys);
        let known: BTreeSet<_> = known.map(|key| key.digest).collect();
        let mut lines = BTreeMap::new();
        for entry in &entries {
            let mut brought = match from {
                Origin::Litellm => litellm::read(entry),
                Origin::OneApi => one_api::read(entry),
            };
            plan.faults.append(&mut brought.faults);
            let Some(digest) = brought.digest else {
                continue;
            };
            if known.contains(&digest) {
                plan.known += 1;
                continue;
            }
            if revoked.contains(&digest.mark().to_string()) {
                plan.revoked += 1;
                continue;
            }
            if let Some(fault) = objection(turn, entry, digest, &mut lines) {
                plan.faults.push(fault);
                continue;
            }
            plan.losses.append(&mut brought.losses);
            let planned = brought.plan(digest, &mut names);
            if let Err(error) = judge(turn.contents(), None, &planned.caller, Vec::new()) {
                let own = error.faults().unwrap_or_default();
                plan.faults.extend(own.iter().map(|own| entry.below(own)));
            }
            plan.planned.push(planned);
        }
        Ok(plan)
    }

    fn report(&self) -> ImportReport {
        let callers = self.planned.iter().map(|own| ImportedCaller {
            name: own.caller.name.clone(),
            hint: own.hint.clone(),
            id: None,
        });
        let mut losses = self.losses.clone();
        ImportReport {
            callers: callers.collect(),
            known: self.known,
            revoked: self.revoked,
            loss_count: crate::fault::cap(&mut losses),
            losses,
        }
    }

    /// Makes the callers; their ids.
    async fn carry_out(&self, turn: Turn<'_>, author: &Author) -> Result<Vec<String>, CallerError> {
        let keys: Vec<_> = self.planned.iter().map(|own| [own.key()]).collect();
        let both = self.planned.iter().zip(&keys);
        let changes: Vec<_> = both
            .map(|(own, keys)| CallerChange {
                after: Some(&own.caller),
                keys,
                ..CallerChange::default()
            })
            .collect();
        let first = turn.next();
        let stored = turn.store().commit_callers(first, &author.name, &changes);
        let stored = stored.await?;
        tracing::info!(
            revision = first,
            callers = stored.len(),
            actor = author.name,
            "callers imported"
        );
        turn.publish();
        Ok(stored.iter().map(|own| own.id.clone()).collect())
    }
}

impl Brought {
    fn plan(self, digest: KeyDigest, names: &mut BTreeSet<String>) -> Planned {
        let mark = digest.mark().to_string();
        let wanted = self.name.as_deref().map(name_of).unwrap_or_default();
        let wanted = if is_name(&wanted) && wanted != "master" {
            wanted
        } else {
            format!("{}-{mark}", self.fallback)
        };
        let name = free(wanted, &mark, names);
        names.insert(name.clone());
        let key_name = self.key_name.chars().filter(|own| !own.is_control());
        Planned {
            caller: Caller {
                name,
                ..self.caller
            },
            key_name: key_name.take(MAX_KEY_NAME).collect(),
            digest,
            hint: hint_of(&digest),
            expires_at: self.expires_at,
        }
    }
}

impl Planned {
    fn key(&self) -> KeyChange<'_> {
        KeyChange::Add(NewKey {
            name: &self.key_name,
            digest: self.digest,
            hint: &self.hint,
            expires_at: self.expires_at,
        })
    }
}

/// Why a key cannot be taken over although it is one; `lines` has those of the file.
fn objection(
    turn: &Turn<'_>,
    entry: &Entry,
    digest: KeyDigest,
    lines: &mut BTreeMap<KeyDigest, usize>,
) -> Option<Fault> {
    if turn.is_master_key(digest) {
        let message =
            "has the key that is the master key here; remove the entry, or change the master key";
        return Some(entry.fault("", "duplicate_key", message));
    }
    let earlier = lines.insert(digest, entry.line)?;
    let message = format!("has the same key as line {earlier}; remove one of the two");
    Some(entry.fault("", "duplicate_key", &message))
}

/// The text of an export.
fn text(export: &[u8]) -> Result<&str, SyntaxError> {
    let bytes = export.strip_prefix(b"\xef\xbb\xbf").unwrap_or(export);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        SyntaxError {
            reason: "the file is not UTF-8".to_owned(),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 0,
        }
    })
}

/// What names like this become: the rules for callers are stricter.
fn name_of(text: &str) -> String {
    let allowed = text.trim().chars().map(|sign| match sign {
        '.' | '_' | '-' => sign,
        sign if sign.is_ascii_alphanumeric() => sign,
        _ => '-',
    });
    allowed
        .skip_while(|sign| !sign.is_ascii_alphanumeric())
        .take(MAX_NAME)
        .collect()
}

/// The name, or one like it that nobody has.
fn free(wanted: String, mark: &str, names: &BTreeSet<String>) -> String {
    if !names.contains(&wanted) {
        return wanted;
    }
    let room = MAX_NAME - 1 - mark.len();
    let start: String = wanted.chars().take(room).collect();
    format!("{start}-{mark}")
}

/// Labels that say where a caller comes from.
fn labelled<const N: usize>(
    origin: &str,
    fields: [(&str, Option<String>); N],
) -> BTreeMap<String, String> {
    let told = fields.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some((format!("{origin}.{name}"), value))
    });
    let origin = ("imported-from".to_owned(), origin.to_owned());
    told.chain([origin]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_for_callers_and_differ() {
        assert_eq!(name_of(" team a/ÄB "), "team-a--B");
        assert_eq!(name_of("_x"), "x");
        assert_eq!(name_of("***"), "");
        assert_eq!(name_of(&"n".repeat(100)).len(), 64);
        let names = BTreeSet::from(["a".to_owned(), "n".repeat(64)]);
        let mark = "0123456789ab";
        assert_eq!(free("b".to_owned(), mark, &names), "b");
        assert_eq!(free("a".to_owned(), mark, &names), "a-0123456789ab");
        let long = free("n".repeat(64), mark, &names);
        assert!(is_name(&long) && long.ends_with("n-0123456789ab"), "{long}");
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_refused_with_its_line() {
        assert_eq!(text(b"\xef\xbb\xbf[]").unwrap(), "[]");
        assert_eq!(text(b"[\n\n\xff]").unwrap_err().line, 3);
    }
}
