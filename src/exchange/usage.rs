//! What a request used, for the record of it.

use std::time::{Duration, UNIX_EPOCH};

use super::{Exchange, Phase, Step};
use crate::chat::{Error, Usage};
use crate::protocol::Parsed;
use crate::telemetry::Report;
use crate::usage::{Record, RecordId, Tokens};

/// Bytes of a prompt's text that make a token, for a low estimate; the limits take as many at a request's start.
const BYTES_PER_TOKEN: usize = 4;

impl Exchange {
    /// Refuses a request whose caller has used up its budget, before its body arrives.
    pub fn meet_budget(&mut self, refusal: impl FnOnce(&str) -> Option<Error>) -> Option<Step> {
        // Whoever asks how many tokens a prompt has uses none.
        let is_asking =
            matches!(self.phase, Phase::RequestBody { .. }) && self.protocol.counter().is_none();
        if !is_asking || self.routes.usage().is_none() {
            return None;
        }
        let caller = self.caller.as_ref().map_or("", |own| own.name());
        let error = refusal(caller)?;
        let step = self.reply(&error);
        self.account.limit(&error);
        Some(self.readable(step))
    }

    /// Notes how long the prompt is, for the record of an answer that does not reach its end.
    pub(super) fn note_prompt(&mut self, parsed: &Parsed<'_>) {
        if self.routes.usage().is_some() && parsed.counter.is_none() {
            let tokens = parsed.text_bytes() / BYTES_PER_TOKEN;
            self.prompt = u64::try_from(tokens).unwrap_or(0).max(1);
        }
    }

    /// An estimate of what an answer has used that did not reach its end, with the prompt if the model has not said how
    /// long it is.
    fn estimated(&self, so_far: Usage) -> Usage {
        match so_far.prompt() {
            0 => Usage {
                input: self.prompt,
                ..so_far
            },
            _ => so_far,
        }
    }

    /// The record of a request that ended like this, if what requests use is recorded.
    #[must_use]
    pub fn record(&self, report: &Report, id: impl FnOnce() -> RecordId) -> Option<Record> {
        self.routes.usage()?;
        let called = report.called.as_ref();
        let fault = report.fault.as_ref();
        let channel = called.map_or("", |own| own.channel.as_str());
        let in_vain = fault.and_then(|own| own.model.as_deref());
        Some(Record {
            id: id(),
            request_id: self.said.id.clone().unwrap_or_default(),
            at_ms: millis(report.at.duration_since(UNIX_EPOCH).unwrap_or_default()),
            caller: self
                .caller
                .as_ref()
                .map_or_else(String::new, |own| own.name().to_owned()),
            key: self
                .caller
                .as_ref()
                .and_then(|own| own.key())
                .map(|key| key.to_string())
                .unwrap_or_default(),
            foreseen: called.map_or(self.foreseen, |own| self.foreseen(channel, &own.model)),
            channel: channel.to_owned(),
            region: self.routes.region(channel).unwrap_or_default().to_owned(),
            model: called
                .map_or(in_vain, |own| Some(&*own.model))
                .unwrap_or_default()
                .to_owned(),
            model_id: called.map(|own| own.profile.clone()).unwrap_or_default(),
            base_model: called
                .and_then(|own| own.base_model)
                .unwrap_or_default()
                .to_owned(),
            endpoint: report.protocol,
            outcome: report.ending.name(),
            status: fault.map_or(0, |own| own.status.as_u16()),
            code: fault.and_then(|own| own.code).unwrap_or_default(),
            tokens: report
                .usage
                .or_else(|| report.so_far.map(|own| self.estimated(own)))
                .map(Tokens::from)
                .unwrap_or_default(),
            tier: called
                .and_then(|own| own.tier.as_deref())
                .unwrap_or_default()
                .to_owned(),
            attempts: called.map_or(0, |own| u32::try_from(own.attempts).unwrap_or(u32::MAX)),
            duration_ms: report.duration.map_or(0, millis),
            first_token_ms: report.first_token.map(millis),
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
