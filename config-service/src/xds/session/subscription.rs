//! One type of resource on one stream: what was sent, acknowledged and refused.

use super::{Event, Request};
use crate::fleet::{Delivery, Rejection};

#[derive(Debug)]
pub(super) struct Subscription<T> {
    /// Whether there was a request at all.
    opened: bool,
    subscribed: bool,
    nonce: String,
    in_flight: Option<Offer<T>>,
    accepted: Option<Offer<T>>,
    rejected: Option<(Offer<T>, String)>,
    /// Revision that the Envoy brought along from an earlier stream.
    brought: Option<u64>,
    /// The Envoy asked for what it was sent already, or is to get it once more.
    again: bool,
    /// How often the latest content was refused since it was last taken.
    refusals: u32,
}

#[derive(Clone, Debug)]
struct Offer<T> {
    revision: u64,
    content: T,
}

impl<T> Default for Subscription<T> {
    fn default() -> Self {
        Self {
            opened: false,
            subscribed: false,
            nonce: String::new(),
            in_flight: None,
            accepted: None,
            rejected: None,
            brought: None,
            again: false,
            refusals: 0,
        }
    }
}

impl<T: Clone + PartialEq> Subscription<T> {
    pub(super) fn is_new(&self) -> bool {
        !self.opened
    }

    pub(super) fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    pub(super) fn accepted(&self) -> Option<&T> {
        self.accepted.as_ref().map(|offer| &offer.content)
    }

    pub(super) fn in_flight(&self) -> Option<&T> {
        self.in_flight.as_ref().map(|offer| &offer.content)
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.rejected.is_some()
    }

    /// Everything that the Envoy may be running at this moment.
    pub(super) fn live(&self) -> impl Iterator<Item = &T> {
        self.accepted().into_iter().chain(self.in_flight())
    }

    /// Takes a request; `reason` is why the latest response was refused.
    pub(super) fn request(&mut self, request: &Request, reason: Option<String>) -> Event {
        if !self.opened {
            self.opened = true;
            self.subscribed = request.wanted;
            self.brought = request.version.parse().ok();
            return Event::Subscribed;
        }
        if request.nonce != self.nonce {
            return Event::Stale;
        }
        if !request.wanted {
            *self = Self {
                opened: true,
                nonce: std::mem::take(&mut self.nonce),
                ..Self::default()
            };
            return Event::Subscribed;
        }
        let newly_wanted = !self.subscribed;
        self.subscribed = true;
        match (self.in_flight.take(), reason) {
            (Some(offer), None) => {
                let revision = offer.revision;
                self.accepted = Some(offer);
                self.rejected = None;
                self.refusals = 0;
                Event::Acknowledged(revision)
            }
            (Some(offer), Some(reason)) => {
                let revision = offer.revision;
                let same = self
                    .rejected
                    .as_ref()
                    .is_some_and(|(it, _)| it.content == offer.content);
                self.refusals = if same {
                    self.refusals.saturating_add(1)
                } else {
                    1
                };
                self.rejected = Some((offer, reason.clone()));
                self.again = newly_wanted;
                Event::Rejected(revision, reason)
            }
            // Envoy asks again when something in it starts to use the resource anew.
            (None, _) => {
                self.again = true;
                Event::Subscribed
            }
        }
    }

    /// Whether `content` is to be sent now; then it counts as sent with `nonce`.
    pub(super) fn offer(&mut self, revision: u64, content: &T, nonce: &str) -> bool {
        if !self.subscribed || self.in_flight.is_some() {
            return false;
        }
        if !self.again && self.is_settled(revision, content) {
            return false;
        }
        self.again = false;
        nonce.clone_into(&mut self.nonce);
        self.in_flight = Some(Offer {
            revision,
            content: content.clone(),
        });
        true
    }

    /// Has the latest content sent once more, unless it is under way.
    pub(super) fn repeat(&mut self) {
        self.again |= self.in_flight.is_none();
    }

    /// How often the latest content was refused since it was last taken.
    pub(super) fn refusals(&self) -> u32 {
        self.refusals
    }

    pub(super) fn delivery(&self) -> Delivery {
        let accepted = self.accepted.as_ref().map(|offer| offer.revision);
        Delivery {
            subscribed: self.subscribed,
            active: accepted.or(self.brought).filter(|_| self.subscribed),
            rejected: self.rejected.as_ref().map(|(offer, reason)| Rejection {
                revision: offer.revision,
                reason: reason.clone(),
            }),
        }
    }

    /// Whether the Envoy has answered this very content already; the answer then holds for the
    /// new revision too. What was acknowledged before a refusal may be gone in part: Envoy applies
    /// the sound ones of a refused set of clusters.
    fn is_settled(&mut self, revision: u64, content: &T) -> bool {
        let rejected = self.rejected.as_mut().map(|(offer, _)| offer);
        let answered = rejected
            .or(self.accepted.as_mut())
            .filter(|offer| offer.content == *content);
        match answered {
            Some(offer) => {
                offer.revision = revision;
                true
            }
            None => false,
        }
    }
}
