//! Which attempts the regions saw of which request.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use bedrock_simulator::{Effect, Fault, Recorded, Verdict};
use serde_json::Value;

use super::weather::Name;

/// What every prompt contains, and nothing but prompts and answers may.
pub const PROMPT_MARK: &str = "-of-mine";

/// Access key id of credentials that somebody mistyped.
pub const MISTYPED: &str = "AKIDMISTYPED";

/// An attempt as a region saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Where it came.
    pub region: Name,
    /// What the region did to it.
    pub fault: Option<Fault>,
    /// Whether its credentials were refused, which the plan had caused.
    pub refused: bool,
}

/// Requests that are under way, by their numbers, with their attempts.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    open: HashMap<u64, Vec<Attempt>>,
    /// Of these an attempt may come late: nobody waits for it, or its connection broke.
    left: HashSet<u64>,
}

/// The words of a request, which no other one has.
pub fn words(number: u64) -> String {
    format!("word-{number}{PROMPT_MARK} and some more, so that a stream has a few events")
}

impl Ledger {
    /// A request is about to leave.
    pub fn open(&self, number: u64) {
        self.book().open.insert(number, Vec::new());
    }

    /// The request is over; returns its attempts. `left` says that one may still be under way.
    pub fn close(&self, number: u64, left: bool) -> Vec<Attempt> {
        let mut book = self.book();
        if left {
            book.left.insert(number);
        }
        book.open.remove(&number).unwrap_or_default()
    }

    /// A region has judged a request.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn saw(&self, region: Name, request: &Recorded) -> Result<(), String> {
        let shown = || format!("{region:?} got {} {}", request.method, request.path);
        let leftovers = request.leftovers();
        if !leftovers.is_empty() {
            return Err(format!("{} with {leftovers:?}", shown()));
        }
        let refused = !request.was_valid();
        if refused && !is_excused(request) {
            return Err(format!("{} and refused: {:?}", shown(), request.verdict));
        }
        let Some(number) = request.body.as_ref().and_then(number) else {
            return Err(format!("{} without a prompt of ours", shown()));
        };
        let attempt = Attempt {
            region,
            fault: request.fault.clone(),
            refused,
        };
        let mut book = self.book();
        if let Some(attempts) = book.open.get_mut(&number) {
            attempts.push(attempt);
        } else if !book.left.contains(&number) {
            return Err(format!("{} of request {number}, which is over", shown()));
        }
        Ok(())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("no panic")
    }
}

impl Attempt {
    /// Whether it may have ended with a whole answer.
    pub fn answers(&self) -> bool {
        let does_nothing = |fault: &Fault| fault.effect == Effect::None;
        !self.refused && self.fault.as_ref().is_none_or(does_nothing)
    }
}

/// A refusal for which the plan is to blame: it mistyped credentials, or kept them from being renewed.
fn is_excused(request: &Recorded) -> bool {
    match &request.verdict {
        Verdict::Refused { name, .. } if name == "ExpiredTokenException" => true,
        Verdict::Refused { name, .. } if name == "UnrecognizedClientException" => request
            .header("authorization")
            .is_some_and(|header| header.contains(MISTYPED)),
        _ => false,
    }
}

/// Number of the request whose words are somewhere in a body.
fn number(body: &Value) -> Option<u64> {
    match body {
        Value::String(text) => {
            let (number, _) = text.strip_prefix("word-")?.split_once(PROMPT_MARK)?;
            number.parse().ok()
        }
        Value::Array(items) => items.iter().find_map(number),
        Value::Object(fields) => fields.values().find_map(number),
        _ => None,
    }
}
