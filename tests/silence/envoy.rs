//! Envoy around the filter.

use super::*;

/// Envoy around the filter that answers: what it holds back, what a client has got of it.
///
/// It behaves as Envoy does: a tick can write only into what is held back, and a piece that arrives after a tick let go
/// of that is lost if the filter lets it pass as usual.
pub(super) struct Envoy {
    pub(super) exchange: Exchange,
    pub(super) head: Option<Headers>,
    pub(super) text: String,
    pub(super) held: Vec<u8>,
    pub(super) holds: bool,
    pub(super) let_go: bool,
    /// Pieces with which the filter did more than read, change and pass them.
    pub(super) dear: usize,
}

impl Envoy {
    pub(super) fn new(exchange: Exchange) -> Self {
        let mut envoy = Self {
            exchange,
            head: None,
            text: String::new(),
            held: Vec::new(),
            holds: false,
            let_go: false,
            dear: 0,
        };
        let head = headers(&[
            (":status", "200"),
            ("content-type", "application/vnd.amazon.eventstream"),
        ]);
        assert_eq!(
            envoy.exchange.response_headers(head, Arrival::Partial),
            Step::Wait
        );
        envoy
    }

    pub(super) fn piece(&mut self, bytes: &[u8], end: bool) {
        self.held.extend_from_slice(bytes);
        let held = self.held.clone();
        let mut read = || held.clone();
        let step = self
            .exchange
            .response_body(held.len(), Arrival::of(end), &mut read);
        let was_let_go = std::mem::take(&mut self.let_go);
        match step {
            Step::Wait => self.holds = true,
            Step::Hold(edit) => {
                assert!(edit.headers.is_none());
                self.held = edit.body.map_or(held, Body::into_vec);
                self.holds = true;
            }
            Step::Release(edit) => {
                assert!(self.holds, "nothing is held that could be let go of");
                self.dear += 1;
                self.take(edit);
            }
            Step::Edit(edit) => {
                assert!(!was_let_go, "this piece would be lost");
                self.take(edit);
                self.holds = false;
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn take(&mut self, edit: Edit) {
        self.head = edit.headers.or(self.head.take());
        let held = std::mem::take(&mut self.held);
        let body = edit.body.map_or(held, Body::into_vec);
        assert!(self.head.is_some() || body.is_empty());
        self.text.push_str(&String::from_utf8(body).unwrap());
        let is_whole = self.text.is_empty() || self.text.ends_with("\n\n");
        assert!(is_whole, "not whole events: {}", self.text);
    }

    pub(super) fn events(&mut self, events: &[&str]) {
        for event in events {
            self.piece(&frames(event), false);
        }
    }

    pub(super) fn tick(&mut self) {
        let held = self.held.clone();
        let step = self.exchange.tick(&mut || held.clone());
        if let Some(LetGo { edit, held }) = step {
            assert_eq!(held, self.held.len());
            assert!(self.holds || edit.body.is_none(), "Envoy has no buffer");
            self.let_go = self.holds;
            self.take(edit);
        }
    }

    pub(super) fn ticks(&mut self, count: usize) {
        for _ in 0..count {
            self.tick();
        }
    }

    /// What the client got since the last call.
    pub(super) fn got(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}
