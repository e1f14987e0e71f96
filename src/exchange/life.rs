//! Signs of life for the client of a silent stream.
//!
//! The exchange has no clock: the host layer feeds it ticks, a second apart. At a tick Envoy can be made to send
//! something only if it holds back the piece that came last, because then it has a buffer for it. So a piece after which
//! the model may be silent is held until the next tick or the next piece, whichever comes first; pieces of text pass at
//! once and cost nothing.

use super::{Arrival, Body, Edit, Exchange, Opening, Phase, ReadBody, Step};
use crate::bedrock::ResponseStream;
use crate::protocol::KEEP_ALIVE;

/// After this many seconds of silence the model is given up: no more signs of life are sent, so that Envoy's idle
/// timeout, which each of them restarts, can end the stream.
const MAX_SILENCE: u32 = 600;

/// How long a stream has been silent, and what Envoy holds back of it.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// Seconds since the client got something.
    waiting: u32,
    /// Seconds since the upstream sent something.
    silent: u32,
    /// Bytes that Envoy holds back, if it holds back the piece that came last.
    held: Option<usize>,
    /// Whether a tick let go of what Envoy held, since the last piece.
    let_go: bool,
}

/// What to do at a tick: let go of what Envoy holds back.
#[derive(Debug, PartialEq)]
pub struct LetGo {
    /// Changes to it.
    pub edit: Edit,
    /// Bytes of body that Envoy holds.
    pub held: usize,
}

impl Life {
    /// Takes a tick; returns whether a sign of life is due after so many seconds.
    fn tick(&mut self, every: u32) -> bool {
        self.waiting = self.waiting.saturating_add(1);
        self.silent = self.silent.saturating_add(1);
        self.waiting >= every && self.silent <= MAX_SILENCE
    }

    /// Bytes of the client's that Envoy holds before what has arrived.
    pub(super) fn held(&self) -> usize {
        self.held.unwrap_or(0)
    }

    /// Takes what becomes of a piece, of which Envoy then holds so many bytes unless it passes.
    pub(super) fn note(&mut self, step: Step, buffered: usize) -> Step {
        self.silent = 0;
        let was_let_go = std::mem::take(&mut self.let_go);
        self.held = match &step {
            Step::Wait => Some(buffered),
            Step::Hold(edit) => edit.body.as_ref().map(Body::length),
            Step::Release(_) => Some(0),
            Step::Pass | Step::Edit(_) | Step::Reply(_) => None,
        };
        match step {
            // Envoy adds the piece to what it held, and would let only the piece itself pass.
            Step::Edit(edit) if was_let_go => {
                self.waiting = 0;
                self.held = Some(0);
                Step::Release(edit)
            }
            Step::Edit(_) | Step::Release(_) => {
                self.waiting = 0;
                step
            }
            _ => step,
        }
    }

    /// Lets go of everything.
    fn let_go(&mut self, mut edit: Edit) -> LetGo {
        let held = self.held();
        if self.held.is_some() {
            self.held = Some(0);
            self.let_go = true;
        } else {
            // Envoy has no buffer yet.
            edit.body = None;
        }
        self.waiting = 0;
        LetGo { edit, held }
    }
}

impl Exchange {
    /// Whether the exchange wants a tick every second: a streamed answer has begun.
    #[must_use]
    pub fn wants_ticks(&self) -> bool {
        self.keeps_alive()
            && matches!(
                self.phase,
                Phase::FirstFrame(..) | Phase::Opening(_) | Phase::Stream(_)
            )
    }

    pub(super) fn keeps_alive(&self) -> bool {
        self.routes.stream_keep_alive_seconds() > 0
    }

    /// Takes a tick: another second has gone by. `read` reads what Envoy holds back.
    pub fn tick(&mut self, read: ReadBody<'_>) -> Option<LetGo> {
        if !self.wants_ticks() {
            return None;
        }
        let is_due = self.life.tick(self.routes.stream_keep_alive_seconds());
        match self.take_phase() {
            Phase::FirstFrame(call, head) if is_due && (self.is_alone() || call.may_think) => {
                let mut opening = Opening::new(call, head);
                if self.life.held.is_some() {
                    opening.take(&read(), Arrival::Partial);
                }
                // Some clients know an event before the first only as a comment.
                Some(self.begin_at_tick(opening, KEEP_ALIVE))
            }
            Phase::Opening(opening) if self.is_alone() || opening.may_think => {
                Some(self.begin_at_tick(*opening, b""))
            }
            Phase::Stream(stream) => {
                let edit = match self.life.held {
                    Some(0) if is_due && !stream.is_over() => Some(self.sign_of_life()),
                    None | Some(0) => None,
                    // It passes as it is.
                    Some(_) => Some(Edit::default()),
                };
                self.phase = Phase::Stream(stream);
                edit.map(|edit| self.life.let_go(edit))
            }
            held => {
                self.phase = held;
                None
            }
        }
    }

    /// Whether no other channel could answer. As long as one could, the client is told that an answer begins, before it
    /// does, only of a model that may think for long.
    fn is_alone(&self) -> bool {
        self.own_attempt().is_none()
    }

    fn begin_at_tick(&mut self, opening: Opening, sign: &[u8]) -> LetGo {
        let mut edit = self.begin(opening, Arrival::Partial, sign);
        self.make_readable(&mut edit);
        self.life.let_go(edit)
    }

    fn sign_of_life(&self) -> Edit {
        Edit {
            headers: None,
            body: Some(self.protocol.sign_of_life().to_vec().into()),
        }
    }

    /// A piece of a stream that passes.
    pub(super) fn piece(
        &mut self,
        mut stream: Box<ResponseStream>,
        arrival: Arrival,
        read: ReadBody<'_>,
    ) -> Step {
        let end = arrival.is_complete();
        let all = read();
        let held = self.life.held();
        let mut out = stream.push(all.get(held..).unwrap_or_default());
        if end {
            out.extend(stream.finish());
        }
        self.note_stream(&stream);
        let is_held = !end && self.keeps_alive() && !stream.is_over();
        let may_pause = is_held && (out.is_empty() || stream.may_pause());
        if !end {
            self.phase = Phase::Stream(stream);
        }
        let is_news = !out.is_empty();
        if held > 0 {
            let mut whole = all;
            whole.truncate(held);
            whole.append(&mut out);
            out = whole;
        }
        let edit = Edit {
            headers: None,
            body: Some(out.into()),
        };
        match (may_pause, self.life.held) {
            (false, _) => Step::Edit(edit),
            (true, Some(_)) if is_news => Step::Release(edit),
            (true, _) => Step::Hold(edit),
        }
    }
}
