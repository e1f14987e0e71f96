//! What a connection waits for, and since when.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Patience;

/// The state of one connection. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Pulse(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// The body of the request took too long.
    is_late: bool,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// For the client: the rest of a TLS handshake and of a request's headers.
    Head,
    /// For the client: a request's body.
    Body,
    /// For the service.
    Answer,
    /// For the client, to take the answer.
    Delivery,
    /// For the client: another request.
    Request,
    /// For nothing; it must make room.
    Over,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client took too long.
    Slow,
    /// Another one needs its place.
    MakesRoom,
}

impl Pulse {
    /// A new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State {
            phase: Phase::Head,
            since: Instant::now(),
            is_late: false,
        })))
    }

    /// Bytes arrived.
    pub(super) fn heard(&self) {
        self.enter_from(Phase::Request, Phase::Head);
    }

    /// Bytes were sent.
    pub(super) fn sent(&self) {
        self.0.send_if_modified(|state| {
            if state.phase == Phase::Delivery {
                state.since = Instant::now();
            }
            // Whoever waits for the deadline checks again when it has passed.
            false
        });
    }

    /// The headers of a request have arrived, and its body follows.
    pub(super) fn awaits_body(&self) {
        self.enter(Phase::Body);
    }

    /// A request without a body has arrived; or a stream, which may last as long as it likes.
    pub(crate) fn awaits_answer(&self) {
        self.enter(Phase::Answer);
    }

    /// The body of a request is complete, or its rest is not needed.
    pub(super) fn has_body(&self) {
        self.enter_from(Phase::Body, Phase::Answer);
    }

    /// There is an answer.
    pub(super) fn awaits_delivery(&self) {
        self.enter(Phase::Delivery);
    }

    /// The answer has been passed to the kernel, or is about to be.
    pub(super) fn awaits_request(&self) {
        self.enter_from(Phase::Delivery, Phase::Request);
    }

    /// The body of the request took too long.
    pub(super) fn note_late(&self) {
        self.0.send_modify(|state| state.is_late = true);
    }

    /// Whether the body of the latest request took too long.
    pub(crate) fn was_late(&self) -> bool {
        self.0.borrow().is_late
    }

    /// The connection must end.
    pub(super) fn end(&self) {
        self.enter(Phase::Over);
    }

    /// Since when the service has been waiting for the client; `None` while the service works, or
    /// when the connection is over.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        let state = self.0.borrow();
        let waits = !matches!(state.phase, Phase::Answer | Phase::Over);
        waits.then_some(state.since)
    }

    /// Waits until the connection must end.
    pub(crate) async fn ended(&self, patience: &Patience) -> End {
        let mut states = self.0.subscribe();
        loop {
            let state = *states.borrow_and_update();
            if state.phase == Phase::Over {
                return End::MakesRoom;
            }
            let until = state.ends_at(patience);
            if until.is_some_and(|until| until <= Instant::now()) {
                return End::Slow;
            }
            tokio::select! {
                () = wake(until) => {}
                // The sender lives as long as `self`.
                _ = states.changed() => {}
            }
        }
    }

    fn enter(&self, phase: Phase) {
        self.0.send_if_modified(|state| state.enter(phase));
    }

    fn enter_from(&self, from: Phase, phase: Phase) {
        self.0
            .send_if_modified(|state| state.phase == from && state.enter(phase));
    }
}

impl State {
    /// When the wait for the client will have been long enough.
    fn ends_at(&self, patience: &Patience) -> Option<Instant> {
        Some(self.since + self.phase.limit(patience)?)
    }

    fn enter(&mut self, phase: Phase) -> bool {
        if self.phase == Phase::Over {
            return false;
        }
        self.phase = phase;
        self.since = Instant::now();
        true
    }
}

impl Phase {
    /// How long it may last. A body has its own timer, because a request whose body is late gets
    /// an answer.
    fn limit(self, patience: &Patience) -> Option<Duration> {
        match self {
            Self::Head => Some(patience.head),
            Self::Delivery => Some(patience.body),
            Self::Request => Some(patience.idle),
            Self::Body | Self::Answer | Self::Over => None,
        }
    }
}

async fn wake(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        body: Duration::from_secs(30),
        idle: Duration::from_secs(60),
    };

    /// Seconds from the start of the phase to the end of the connection.
    fn seconds(pulse: &Pulse) -> Option<u64> {
        let state = *pulse.0.borrow();
        let ends_at = state.ends_at(&PATIENCE)?;
        Some((ends_at - state.since).as_secs())
    }

    fn since(pulse: &Pulse) -> Instant {
        pulse.0.borrow().since
    }

    #[test]
    fn each_phase_has_its_own_time_limit() {
        let pulse = Pulse::new();
        assert_eq!(seconds(&pulse), Some(10));
        pulse.awaits_body();
        assert_eq!(seconds(&pulse), None);
        pulse.has_body();
        assert_eq!((seconds(&pulse), pulse.waits_since()), (None, None));
        pulse.awaits_delivery();
        assert_eq!(seconds(&pulse), Some(30));
        pulse.awaits_request();
        assert_eq!(seconds(&pulse), Some(60));
        pulse.heard();
        assert_eq!(seconds(&pulse), Some(10));
    }

    #[test]
    fn trickling_headers_get_no_more_time_but_progress_on_an_answer_does() {
        let pulse = Pulse::new();
        let start = since(&pulse);
        pulse.heard();
        assert_eq!(since(&pulse), start);
        pulse.awaits_delivery();
        let start = since(&pulse);
        pulse.sent();
        assert!(since(&pulse) > start);
    }

    #[test]
    fn late_events_change_nothing() {
        let pulse = Pulse::new();
        // A body dropped after the answer, and an answer after the next request.
        pulse.awaits_delivery();
        pulse.has_body();
        assert_eq!(seconds(&pulse), Some(30));
        pulse.awaits_answer();
        pulse.awaits_request();
        assert_eq!(pulse.waits_since(), None);
    }

    #[tokio::test]
    async fn a_change_of_phase_is_noticed_during_a_wait() {
        let pulse = Pulse::new();
        pulse.awaits_delivery();
        pulse.awaits_request();
        let patience = Patience {
            head: Duration::from_millis(1),
            idle: DAY,
            ..PATIENCE
        };
        let waiting = pulse.clone();
        let waiting = tokio::spawn(async move { waiting.ended(&patience).await });
        tokio::task::yield_now().await;
        pulse.heard();
        assert_eq!(waiting.await.unwrap(), End::Slow);
    }

    #[tokio::test]
    async fn a_connection_that_must_make_room_does_so_whatever_happens() {
        let pulse = Pulse::new();
        pulse.end();
        pulse.awaits_answer();
        pulse.heard();
        assert_eq!(pulse.waits_since(), None);
        assert_eq!(pulse.ended(&PATIENCE).await, End::MakesRoom);
    }
}
