//! Judges whether a request ended as it may, from the attempts that its regions saw and the weather.

use std::time::Duration;

use bedrock_simulator::{Effect, Fault};
use e2e::Reply;
use serde_json::Value;

use super::ledger::Attempt;
use super::weather::Felt;

/// How long a channel may take to start its answer.
pub const TIMEOUT: Duration = Duration::from_secs(8);

/// The number of events in a stream before its first word, for every family that takes part.
const EVENTS_BEFORE_WORDS: usize = 3;

/// A request that has ended.
#[derive(Debug)]
pub struct Case<'c> {
    /// Its words.
    pub words: &'c str,
    /// Whether it requested a stream.
    pub streams: bool,
    /// What its regions saw.
    pub attempts: &'c [Attempt],
    /// What it felt.
    pub felt: &'c Felt,
    /// How long it took.
    pub took: Duration,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With its own words, complete.
    Whole,
    /// With an error of this status.
    Refused(u16),
    /// In the middle of a stream, and the client was told.
    Broken,
    /// With its connection.
    Lost,
}

impl Case<'_> {
    /// How it ended, if it may end that way.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn judge(&self, got: &Result<Reply, String>) -> Result<End, String> {
        let end = match got {
            Err(error) => self.lost(error),
            Ok(reply) if reply.status != 200 => self.refused(reply),
            Ok(reply) if self.streams => self.stream(reply),
            Ok(reply) => self.plain(reply),
        };
        let end = end.and_then(|end| self.asked_once().map(|()| end));
        end.map_err(|what| format!("{what}\n  of {self:?}\n  was {got:?}"))
    }

    /// A request must not be sent, and paid for, again once a region has answered.
    fn asked_once(&self) -> Result<(), String> {
        // The answer may have been lost on its way, or come too late.
        let excused = self.felt.dead || self.felt.unreachable || self.took >= TIMEOUT;
        let answered = self.attempts.iter().position(Attempt::must_answer);
        if !excused && answered.is_some_and(|first| first + 1 < self.attempts.len()) {
            return Err("it was retried although a region had answered".to_owned());
        }
        Ok(())
    }

    fn lost(&self, error: &str) -> Result<End, String> {
        // Without another attempt, Envoy can only close the connection once the answer has started.
        let cut = self.felt.single
            && !self.streams
            && self.met(|effect| matches!(effect, Effect::Cut { .. }));
        let reset = self.felt.single && self.felt.unreachable;
        if self.felt.dead || cut || reset {
            return Ok(End::Lost);
        }
        Err(format!("the connection was lost: {error}"))
    }

    fn plain(&self, reply: &Reply) -> Result<End, String> {
        if reply.is_cut {
            return self.lost("in the middle of the body");
        }
        let answer: Value =
            serde_json::from_str(&reply.text).map_err(|_| "a 200 that is not JSON")?;
        self.own(answer["choices"][0]["message"]["content"].as_str())
    }

    fn stream(&self, reply: &Reply) -> Result<End, String> {
        let events = events(reply)?;
        let deltas = events
            .iter()
            .map(|event| &event["choices"][0]["delta"]["content"]);
        let text: String = deltas.filter_map(Value::as_str).collect();
        if reply.is_done() && !reply.is_cut {
            if reply.text.matches("[DONE]").count() > 1 {
                return Err("it ended twice".to_owned());
            }
            return self.own(Some(&text));
        }
        if !self.expected().starts_with(&text) {
            return Err("part of somebody else's words".to_owned());
        }
        let told = events.iter().any(|event| !event["error"].is_null());
        let cut = self.met(|effect| matches!(effect, Effect::Cut { .. })) || self.felt.unreachable;
        if !told && !self.felt.dead && !cut {
            return Err("it broke off, and the client was not told".to_owned());
        }
        if self.felt.dead || self.felt.unreachable || self.met(|effect| self.breaks(effect)) {
            return Ok(End::Broken);
        }
        Err("it broke off, but no region had broken it".to_owned())
    }

    /// Checks that the request's own words came back exactly once, from a region that had answered.
    fn own(&self, text: Option<&str>) -> Result<End, String> {
        if text != Some(&self.expected()) {
            return Err("not its own words, or not exactly once".to_owned());
        }
        if !self.attempts.iter().any(Attempt::answers) {
            return Err("an answer that no region had given".to_owned());
        }
        Ok(End::Whole)
    }

    fn refused(&self, reply: &Reply) -> Result<End, String> {
        let status = reply.status;
        let cut = !self.streams && self.met(|effect| matches!(effect, Effect::Cut { .. }));
        if !cut && !is_error(reply) {
            return Err("an error that is not in OpenAI's format".to_owned());
        }
        let timed_out = |times| status == 504 && self.took >= TIMEOUT * times;
        let explained = if self.felt.single {
            timed_out(1)
                || (self.felt.unreachable && [502, 503].contains(&status))
                || self.attempts.iter().any(|own| own.refused && status == 502)
                || self.met(|effect| statuses(effect).contains(&status))
        } else {
            // One region is always up, and every request reaches it in the end; but there is no retry after
            // an answer that has ended, because Envoy 1.36 cannot do that.
            let ended = |effect: &Effect| matches!(effect, Effect::Truncate { after_events: 0 });
            timed_out(3) || (status == 502 && self.met(ended))
        };
        if explained || self.felt.dead {
            return Ok(End::Refused(status));
        }
        Err(
            "an error that no region had caused, or that another region would have prevented"
                .to_owned(),
        )
    }

    fn expected(&self) -> String {
        format!("You said: {}", self.words)
    }

    fn met(&self, fits: impl Fn(&Effect) -> bool) -> bool {
        let met = |fault: &Fault| fits(&fault.effect);
        let mut faults = self.attempts.iter().filter_map(|own| own.fault.as_ref());
        faults.any(met)
    }

    /// Whether a fault breaks a stream after the client has received something.
    fn breaks(&self, effect: &Effect) -> bool {
        // Without another attempt, the client also gets the events before the first word.
        let least = if self.felt.single {
            1
        } else {
            EVENTS_BEFORE_WORDS
        };
        match effect {
            Effect::Exception { after_events, .. }
            | Effect::Truncate { after_events }
            | Effect::Cut { after_events } => *after_events >= least,
            Effect::CorruptFrame { event } => *event >= least,
            _ => false,
        }
    }
}

/// What a client gets if there is no retry after a fault.
fn statuses(effect: &Effect) -> &'static [u16] {
    match effect {
        Effect::Error { status: 429, .. } => &[429],
        Effect::Error { status: 500, .. } => &[500],
        Effect::Error { status: 503, .. } => &[503],
        Effect::Error { status: 424, .. } => &[502],
        Effect::Error { status: 408, .. } => &[504],
        Effect::Raw { .. } | Effect::UnknownOperation | Effect::CorruptFrame { event: 0 } => &[502],
        Effect::Truncate { after_events: 0 } => &[502],
        Effect::Close => &[503],
        Effect::Cut { .. } => &[502, 503],
        Effect::Exception {
            after_events: 0,
            name,
            ..
        } => match name.as_str() {
            "throttlingException" => &[429],
            "internalServerException" => &[500],
            _ => &[503],
        },
        _ => &[],
    }
}

/// The events of a stream without `[DONE]` and comments, and the rest of one that was cut.
fn events(reply: &Reply) -> Result<Vec<Value>, String> {
    let whole = reply.text.rfind("\n\n").map_or(0, |end| end + 2);
    let (whole, rest) = reply.text.split_at(whole);
    if !rest.is_empty() && !reply.is_cut {
        return Err("half an event at the end".to_owned());
    }
    let datas = whole
        .split_terminator("\n\n")
        .filter(|event| *event != "data: [DONE]" && !event.starts_with(':'));
    datas
        .map(|event| {
            let data = event
                .strip_prefix("data: ")
                .and_then(|data| serde_json::from_str(data).ok());
            data.ok_or_else(|| format!("no event: {event:?}"))
        })
        .collect()
}

fn is_error(reply: &Reply) -> bool {
    let body: Value = serde_json::from_str(&reply.text).unwrap_or_default();
    let error = &body["error"];
    let texts = ["message", "type", "code"]
        .iter()
        .all(|name| error[name].is_string());
    texts && reply.header("content-type") == "application/json"
}

#[cfg(test)]
mod tests;
