//! Who asks.

use std::sync::Arc;

use super::{Exchange, Step};
use crate::call::Headers;
use crate::callers::{Caller, Property, Refused, SERVED};
use crate::routes::Permitted;

/// The word for a request for a model that its caller may not use, as in the client's error.
const NOT_PERMITTED: &str = "model_not_found";

impl Exchange {
    /// Whether the headers of a request are searched for a key, so that [`Self::set_now`] comes before them.
    #[must_use]
    pub fn asks_who(&self) -> bool {
        self.routes.callers().are_asked() || self.foresees()
    }

    /// Whether to find out what would become of clients if all of them had to say who they are.
    fn foresees(&self) -> bool {
        self.routes.usage().is_some() && self.routes.callers().can_be_told_apart()
    }

    /// What Envoy has to say about the client, for [`Self::know`].
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        self.routes.callers().properties()
    }

    /// Takes the identities by which Envoy knows the client; they come before the request's headers.
    pub fn know(&mut self, identities: Vec<String>) {
        self.known = identities;
    }

    /// Takes it that this caller asks. Without one, the gateway itself does, which has no key and needs none.
    pub fn trust(&mut self, caller: Option<Arc<Caller>>) {
        self.caller = caller.or_else(|| self.routes.callers().operator());
    }

    /// Who asks: known once the request's headers have been read, if clients have to say so and did.
    #[must_use]
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.caller.as_ref()
    }

    /// What would become of a request for a model on a channel if every client needed a key.
    pub(super) fn foreseen(&self, channel: &str, model: &str) -> &'static str {
        let caller = self.foreseen_for.as_deref();
        let serves = |own| {
            let permitted = self.routes.permitted(own);
            permitted.is_served_by(channel, model)
        };
        // Nobody was held to it, if the caller was not asked for.
        let is_refused = self.caller.is_none() && caller.is_some() && !serves(caller);
        if is_refused && serves(None) {
            NOT_PERMITTED
        } else {
            self.foreseen
        }
    }

    /// The routes as the caller may use them.
    pub(super) fn permitted(&self) -> Permitted<'_> {
        self.routes.permitted(self.caller.as_deref())
    }

    /// Finds out who asks; the refusal of a client that must not be served.
    pub(super) fn meet_caller(&mut self, headers: &Headers) -> Option<Step> {
        if self.caller.is_some() || !self.asks_who() {
            return None;
        }
        let fields = headers.0.iter();
        let fields = fields.map(|(name, value)| (&**name, value.as_slice()));
        match self
            .routes
            .callers()
            .identify(&fields, &self.known, self.now)
        {
            Ok(caller) => {
                if self.foresees() {
                    let foresee = || {
                        self.routes
                            .callers()
                            .foresee(&fields, &self.known, self.now)
                    };
                    let foreseen = caller.clone().map_or_else(foresee, |own| Ok(Some(own)));
                    self.foreseen = foreseen.as_ref().map_or_else(Refused::code, |_| SERVED);
                    self.foreseen_for = foreseen.ok().flatten();
                }
                self.caller = caller;
                None
            }
            Err(refused) => {
                self.foreseen = refused.code();
                Some(self.reply(&refused.error()))
            }
        }
    }
}
