//! The form in which a ledger is stored: every worker reads and writes it, so it is made for that and not for people.
//!
//! ```text
//! version             1 byte
//! refused             8 bytes, the revision plus one, or 0
//! for each model:
//!   answered, failed  8 bytes each, or 0
//!   trouble           1 byte, or 0
//!   name              1 byte of length, then UTF-8
//! ```

use std::collections::BTreeMap;

use super::{Ledger, Record};
use crate::health::Trouble;

/// Version of the form: what a module stores outlives it.
const VERSION: u8 = 2;

/// Bytes of a record besides the name.
const RECORD: usize = 18;

/// Troubles in the order of their numbers, which begin with 1.
const TROUBLES: [Trouble; 4] = [
    Trouble::Throttled,
    Trouble::Unavailable,
    Trouble::Credentials,
    Trouble::Model,
];

pub(super) fn write(ledger: &Ledger) -> Vec<u8> {
    let names = ledger.models.keys().map(|name| RECORD + name.len());
    let mut out = Vec::with_capacity(9 + names.sum::<usize>());
    out.push(VERSION);
    let refused = ledger.refused.map(|revision| revision.saturating_add(1));
    number(&mut out, refused);
    for (name, record) in &ledger.models {
        // Longer names are not remembered.
        let Ok(length) = u8::try_from(name.len()) else {
            continue;
        };
        number(&mut out, record.answered);
        number(&mut out, record.failed);
        let place = TROUBLES.iter().position(|own| Some(*own) == record.trouble);
        out.push(place.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0));
        out.push(length);
        out.extend_from_slice(name.as_bytes());
    }
    out
}

/// `None` for anything else than what [`write()`] wrote.
pub(super) fn read(bytes: &[u8]) -> Option<Ledger> {
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let refused = take_number(&mut rest)?.checked_sub(1);
    let mut models = BTreeMap::new();
    while !rest.is_empty() {
        let (answered, failed) = (take_number(&mut rest)?, take_number(&mut rest)?);
        let ([trouble, length], after) = rest.split_first_chunk()?;
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        rest = after;
        let trouble = match trouble.checked_sub(1) {
            Some(place) => Some(*TROUBLES.get(usize::from(place))?),
            None => None,
        };
        let record = Record {
            answered: Some(answered).filter(|time| *time > 0),
            failed: Some(failed).filter(|time| *time > 0),
            trouble,
        };
        models.insert(std::str::from_utf8(name).ok()?.to_owned(), record);
    }
    Some(Ledger { refused, models })
}

fn number(out: &mut Vec<u8>, number: Option<u64>) {
    out.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}
