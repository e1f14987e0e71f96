//! One type of resource on a stream, and which response each request answers.

/// The requests and responses of one type, matched by nonce.
#[derive(Debug)]
pub(super) enum Lane<W> {
    /// The Envoy has not asked for the type yet.
    Closed,
    /// Every response is answered.
    Idle {
        /// Nonce of the latest response; empty if there was none.
        nonce: String,
    },
    /// A response is waiting for its answer; no other is sent meanwhile.
    Waiting {
        /// Its nonce.
        nonce: String,
        /// What it is about.
        about: W,
    },
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<W> {
    /// The first one of this type.
    First,
    /// The answer to the response that is about this.
    Answer(W),
    /// Neither: a changed subscription, or the same again.
    Subscription,
    /// It crossed a later response, which another request will answer.
    Stale,
}

impl<W: Copy> Lane<W> {
    /// Whether the Envoy has asked for the type.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Self::Closed)
    }

    /// Whether a response may be sent.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Self::Idle { .. })
    }

    /// Classifies a request by its nonce.
    pub(super) fn request(&mut self, nonce: &str) -> Meaning<W> {
        let (latest, about) = match self {
            Self::Closed => {
                *self = Self::Idle {
                    nonce: String::new(),
                };
                return Meaning::First;
            }
            Self::Idle { nonce } => (nonce, None),
            Self::Waiting { nonce, about } => (nonce, Some(*about)),
        };
        if latest != nonce {
            return Meaning::Stale;
        }
        let Some(about) = about else {
            return Meaning::Subscription;
        };
        *self = Self::Idle {
            nonce: std::mem::take(latest),
        };
        Meaning::Answer(about)
    }

    /// Records that a response about this was sent.
    pub(super) fn respond(&mut self, nonce: &str, about: W) {
        *self = Self::Waiting {
            nonce: nonce.to_owned(),
            about,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_answers_only_the_latest_response() {
        let mut lane = Lane::Closed;
        assert_eq!(lane.request(""), Meaning::First);
        assert!(lane.is_idle());
        lane.respond("1", 'a');
        assert!(!lane.is_idle());
        assert_eq!(lane.request(""), Meaning::Stale);
        assert_eq!(lane.request("1"), Meaning::Answer('a'));
        assert_eq!(lane.request("1"), Meaning::Subscription);
        lane.respond("2", 'b');
        assert_eq!(lane.request("1"), Meaning::Stale);
        assert_eq!(lane.request("2"), Meaning::Answer('b'));
    }
}
