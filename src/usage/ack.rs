//! What the config-service answers to a report: who has used up what they may use.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;

use super::proto::{Fields, Value};
use crate::chat::{Error, ErrorKind};

/// The answer to a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Callers whose budget is spent; all others may go on.
    pub exhausted: Vec<Exhausted>,
}

/// A budget that is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Whose; empty for everybody's.
    pub caller: String,
    /// When it begins anew, in seconds since the epoch.
    pub resets_at: u64,
    /// What is spent.
    pub budget: Budget,
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Budget {
    /// Tokens.
    #[default]
    Tokens,
    /// Money.
    Money,
}

impl Ack {
    /// Reads the message `Ack` of `usage.proto`. What cannot be read is left out.
    #[must_use]
    pub fn read(message: &[u8]) -> Self {
        let exhausted = Fields(message).filter_map(|field| match field {
            (1, Value::Bytes(own)) => Some(Exhausted::read(own)),
            _ => None,
        });
        Self {
            exhausted: exhausted.collect(),
        }
    }

    /// The budget that keeps a caller from asking: its own, or everybody's. One that has begun anew does not, even if
    /// nobody has said so yet.
    #[must_use]
    pub fn against(&self, caller: &str, now: SystemTime) -> Option<&Exhausted> {
        let mut all = self.exhausted.iter();
        all.find(|own| {
            let is_meant = own.caller.is_empty() || own.caller == caller;
            is_meant && own.resets() > now
        })
    }
}

impl Exhausted {
    /// When it begins anew.
    fn resets(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.resets_at.min(u64::from(u32::MAX)))
    }

    /// The client's error.
    #[must_use]
    pub fn error(&self, now: SystemTime) -> Error {
        let whose = if self.caller.is_empty() {
            "of this gateway"
        } else {
            "of this API key's caller"
        };
        let what = match self.budget {
            Budget::Tokens => "tokens",
            Budget::Money => "money",
        };
        let at = day(self.resets_at);
        let message = format!(
            "The monthly budget {whose} is used up ({what}). It begins anew on {at}; the gateway's \
             administrator can raise it."
        );
        let wait = self.resets().duration_since(now).unwrap_or_default();
        let error = Error::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimit, message);
        let error = error.code("insufficient_quota");
        error.retry_after(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX))
    }

    fn read(message: &[u8]) -> Self {
        let mut own = Self {
            caller: String::new(),
            resets_at: 0,
            budget: Budget::default(),
        };
        for field in Fields(message) {
            match field {
                (1, Value::Bytes(name)) => own.caller = String::from_utf8_lossy(name).into_owned(),
                (2, Value::Number(seconds)) => own.resets_at = seconds,
                (3, Value::Number(1)) => own.budget = Budget::Money,
                _ => {}
            }
        }
        own
    }
}

/// A time as `YYYY-MM-DD HH:MM UTC`.
fn day(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let Ok(time) = time::OffsetDateTime::from_unix_timestamp(seconds) else {
        return "an unknown day".to_owned();
    };
    let (hour, minute) = (time.hour(), time.minute());
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}
