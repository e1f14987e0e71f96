//! Which attempts of which request the regions saw.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use bedrock_simulator::{Effect, Fault, Recorded, Verdict};
use serde_json::Value;

use super::weather::Name;

/// A mark that every prompt contains, and that only prompts and answers may contain.
pub const PROMPT_MARK: &str = "-of-mine";

/// Access key id of mistyped credentials.
pub const MISTYPED: &str = "AKIDMISTYPED";

/// An attempt, as seen by a region.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Which region it reached.
    pub region: Name,
    /// What the region did with it.
    pub fault: Option<Fault>,
    /// Whether its credentials were refused because of the plan.
    pub refused: bool,
}

/// Requests in flight, by number, with their attempts.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    open: HashMap<u64, Vec<Attempt>>,
    /// Requests whose attempts may arrive late, because nobody waits for them or their connection
    /// broke.
    left: HashSet<u64>,
}

/// A request's unique words.
pub fn words(number: u64) -> String {
    format!("word-{number}{PROMPT_MARK} and some more, so that a stream has a few events")
}

impl Ledger {
    /// Records that a request is about to be sent.
    pub fn open(&self, number: u64) {
        self.book().open.insert(number, Vec::new());
    }

    /// Records that a request has ended; returns its attempts. `left` says that one may still be in
    /// flight.
    pub fn close(&self, number: u64, left: bool) -> Vec<Attempt> {
        let mut book = self.book();
        if left {
            book.left.insert(number);
        }
        book.open.remove(&number).unwrap_or_default()
    }

    /// Records that a region has received a request; `breaks` says that connections to it may be
    /// breaking.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn saw(&self, region: Name, request: &Recorded, breaks: bool) -> Result<(), String> {
        let shown = || format!("{region:?} got {} {}", request.method, request.path);
        let leftovers = request.leftovers();
        if !leftovers.is_empty() {
            return Err(format!("{} with {leftovers:?}", shown()));
        }
        if breaks && is_half(request) {
            // There is no way to tell whose it was.
            return Ok(());
        }
        let refused = !request.was_valid();
        if refused && !is_excused(request) {
            return Err(format!("{} and refused: {:?}", shown(), request.verdict));
        }
        let Some(number) = request.body.as_ref().and_then(number) else {
            return Err(format!("{} without one of our prompts", shown()));
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
    /// Whether it may have ended with a complete answer.
    pub fn answers(&self) -> bool {
        let does_nothing = |fault: &Fault| fault.effect == Effect::None;
        !self.refused && self.fault.as_ref().is_none_or(does_nothing)
    }

    /// Whether it ended with a complete answer, unless its connection broke or nobody waited that
    /// long.
    pub fn must_answer(&self) -> bool {
        !self.refused && self.fault.is_none()
    }
}

/// Whether its body ended early.
fn is_half(request: &Recorded) -> bool {
    matches!(&request.verdict, Verdict::Refused { name, .. } if name == "RequestTimeoutException")
}

/// A refusal that the plan caused, by mistyping credentials or preventing their renewal.
fn is_excused(request: &Recorded) -> bool {
    match &request.verdict {
        Verdict::Refused { name, .. } if name == "ExpiredTokenException" => true,
        Verdict::Refused { name, .. } if name == "UnrecognizedClientException" => request
            .header("authorization")
            .is_some_and(|header| header.contains(MISTYPED)),
        _ => false,
    }
}

/// Number of the request whose words appear in a body.
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

#[cfg(test)]
mod tests {
    use bedrock_simulator::Effect;
    use serde_json::json;

    use super::*;

    /// A request as recorded by a region, signed and with these headers.
    fn recorded(number: u64, headers: &[(&str, &str)]) -> Recorded {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let content = json!([{"role": "user", "content": [{"text": words(number)}]}]);
        Recorded {
            method: "POST".to_owned(),
            path: "/model/m/invoke".to_owned(),
            query: String::new(),
            headers: headers.iter().map(own).collect(),
            body: Some(json!({"messages": content})),
            body_bytes: 0,
            verdict: Verdict::Accepted,
            fault: None,
        }
    }

    fn refused(name: &str, headers: &[(&str, &str)]) -> Recorded {
        let verdict = Verdict::Refused {
            status: 403,
            name: name.to_owned(),
            message: String::new(),
        };
        Recorded {
            verdict,
            ..recorded(1, headers)
        }
    }

    #[test]
    fn an_unsigned_call_is_noticed() {
        let ledger = Ledger::default();
        ledger.open(1);
        let fault = ledger
            .saw(
                Name::A,
                &refused("MissingAuthenticationTokenException", &[]),
                true,
            )
            .unwrap_err();
        assert!(fault.contains("refused"), "{fault}");
        assert!(fault.contains("MissingAuthenticationToken"), "{fault}");
        // Nothing else may be wrong with a signature either, unless the plan broke it.
        for name in ["InvalidSignatureException", "UnrecognizedClientException"] {
            let own = [("authorization", "AWS4-HMAC-SHA256 Credential=AKIDA/x")];
            assert!(
                ledger.saw(Name::A, &refused(name, &own), true).is_err(),
                "{name}"
            );
        }
        let mut nothing = recorded(1, &[]);
        nothing.body = Some(json!({}));
        let fault = ledger.saw(Name::A, &nothing, true).unwrap_err();
        assert!(fault.contains("without one of our prompts"), "{fault}");
        assert_eq!(ledger.close(1, false), []);
    }

    #[test]
    fn a_refusal_that_the_plan_caused_counts_as_an_attempt() {
        let ledger = Ledger::default();
        ledger.open(1);
        let mistyped = format!("AWS4-HMAC-SHA256 Credential={MISTYPED}/x");
        let mistyped = [("authorization", mistyped.as_str())];
        for request in [
            refused("UnrecognizedClientException", &mistyped),
            refused("ExpiredTokenException", &[]),
        ] {
            assert_eq!(ledger.saw(Name::B, &request, false), Ok(()));
        }
        let attempts = ledger.close(1, false);
        assert!(attempts.iter().all(|own| own.refused && !own.answers()));
        assert_eq!(attempts.len(), 2);
    }

    #[test]
    fn none_of_the_clients_or_the_proxys_headers_are_sent_along() {
        let ledger = Ledger::default();
        ledger.open(1);
        for header in ["x-request-id", "x-envoy-attempt-count", "cookie"] {
            let fault = ledger.saw(Name::A, &recorded(1, &[(header, "x")]), false);
            assert!(fault.unwrap_err().contains(header), "{header}");
        }
    }

    #[test]
    fn half_a_body_needs_a_broken_connection() {
        let ledger = Ledger::default();
        ledger.open(1);
        let mut half = refused("RequestTimeoutException", &[]);
        half.body = None;
        assert_eq!(ledger.saw(Name::A, &half, true), Ok(()));
        let fault = ledger.saw(Name::A, &half, false).unwrap_err();
        assert!(fault.contains("RequestTimeout"), "{fault}");
        assert_eq!(ledger.close(1, false), []);
    }

    #[test]
    fn a_request_that_has_ended_is_not_sent_again() {
        let ledger = Ledger::default();
        ledger.open(1);
        ledger.open(2);
        assert_eq!(ledger.saw(Name::A, &recorded(1, &[]), false), Ok(()));
        assert_eq!(ledger.close(1, false).len(), 1);
        let fault = ledger.saw(Name::B, &recorded(1, &[]), false).unwrap_err();
        assert!(fault.contains("which is over"), "{fault}");
        // Unless that could not be known.
        ledger.close(2, true);
        assert_eq!(ledger.saw(Name::B, &recorded(2, &[]), false), Ok(()));
    }

    #[test]
    fn an_attempt_answers_unless_a_fault_prevents_it() {
        let attempt = |fault, refused| Attempt {
            region: Name::A,
            fault,
            refused,
        };
        let slow = Fault::new(Effect::None);
        let judged = |own: Attempt| (own.answers(), own.must_answer());
        assert_eq!(judged(attempt(None, false)), (true, true));
        assert_eq!(judged(attempt(Some(slow), false)), (true, false));
        assert_eq!(judged(attempt(None, true)), (false, false));
        let throttled = attempt(Some(Fault::throttling()), false);
        assert_eq!(judged(throttled), (false, false));
    }
}
