//! Tells callers what they have used: `GET /v1/usage`.

use http::StatusCode;

use super::{Exchange, Phase, Step};
use crate::chat::{Error, ErrorKind};
use crate::config::UsageReports;
use crate::usage::Figures;

/// Seconds after which it may be worth asking again.
const RETRY_AFTER: u32 = 5;

impl Exchange {
    /// Waits for what the config-service says of the caller. Only who has shown a key learns anything: what everybody
    /// used is not for whoever reaches the listener.
    pub(super) fn figures_head(&mut self) -> Step {
        if !self.routes.callers().are_asked() {
            return self.reply(&nobody_is_known());
        }
        if self.caller.is_none() {
            let error = self.routes.callers().unknown().error();
            return self.reply(&error);
        }
        self.phase = Phase::Figures;
        Step::Wait
    }

    /// Whose figures the request waits for, and where to ask for them. The name is that of the key's caller; nothing of
    /// it is the client's.
    #[must_use]
    pub fn asks_figures(&self) -> Option<(&UsageReports, &str)> {
        if !matches!(self.phase, Phase::Figures) {
            return None;
        }
        Some((self.routes.usage()?, self.caller.as_ref()?.name()))
    }

    /// Answers with what the config-service said, the message `Figures`; `None` if it did not.
    pub fn figures(&mut self, message: Option<&[u8]>) -> Step {
        if !matches!(self.phase, Phase::Figures) {
            return Step::Pass;
        }
        let document = message.and_then(Figures::read);
        let step = self.reply_json(document.ok_or_else(unavailable));
        self.readable(step)
    }
}

/// Where callers are not told apart.
fn nobody_is_known() -> Error {
    let message = "This gateway does not ask who calls, so it has no figures of yours. Its administrator can require \
                   keys of callers, and sees what all of them use.";
    let error = Error::new(StatusCode::NOT_FOUND, ErrorKind::InvalidRequest, message);
    error.code("callers_off")
}

/// Where the config-service does not answer.
fn unavailable() -> Error {
    let message = "What you have used cannot be found out right now; please ask again. Other requests are served.";
    let error = Error::server(
        StatusCode::SERVICE_UNAVAILABLE,
        "service_unavailable",
        message,
    );
    error.retry_after(RETRY_AFTER)
}
