//! The routes as one caller may use them.

use std::time::SystemTime;

use super::{CompiledChannel, Listed, ResolveError, Route, Routes};
use crate::callers::Caller;
use crate::catalog::Model;

/// The routes as one caller may use them, or nobody in particular, who may use them all.
#[derive(Clone, Copy, Debug)]
pub struct Permitted<'r> {
    routes: &'r Routes,
    caller: Option<&'r Caller>,
    /// Whether only its channels matter: it has been allowed whatever a name chooses.
    any_model: bool,
}

impl Routes {
    /// The routes as a caller may use them.
    #[must_use]
    pub fn permitted<'r>(&'r self, caller: Option<&'r Caller>) -> Permitted<'r> {
        Permitted {
            routes: self,
            // What everybody may use needs no second look.
            caller: caller.filter(|own| own.is_restricted()),
            any_model: false,
        }
    }
}

impl<'r> Permitted<'r> {
    /// The routes as the caller may use them for a request by this name. Who has been allowed a name that chooses may use
    /// the models that it chooses, by this name.
    #[must_use]
    pub fn by(self, name: &str) -> Self {
        let Some(caller) = self.caller else {
            return self;
        };
        let any_model = self.routes.is_choice(name) && self.may_ask_for(name);
        Self {
            caller: Some(caller).filter(|own| !any_model || !own.channels().is_empty()),
            any_model,
            ..self
        }
    }

    /// Whether there is anything that the caller may not use.
    #[must_use]
    pub fn is_restricted(self) -> bool {
        self.caller.is_some()
    }

    /// Every channel that serves a name and has credentials, even expired ones; in the order of the configuration.
    ///
    /// A name may lead to its model by different words on different channels. If the caller may not use all of them,
    /// the first channel that is left is the only one: there is no pool of just those.
    #[must_use]
    pub fn candidates(self, requested: &str) -> Vec<Route<'r>> {
        self.narrow(self.routes.candidates(requested))
    }

    /// The first channel that serves a name, with valid credentials.
    ///
    /// # Errors
    ///
    /// When no channel that the caller may use serves the name now.
    pub fn resolve(self, requested: &str, now: SystemTime) -> Result<Route<'r>, ResolveError> {
        if self.caller.is_none() {
            return self.routes.resolve(requested, now);
        }
        let mut all = self.candidates(requested).into_iter();
        let valid = all.find(|route| route.is_valid(now));
        valid.ok_or_else(|| self.why_not(requested))
    }

    /// The first channel that serves a name, with or without credentials: for who sends no request.
    ///
    /// # Errors
    ///
    /// When no channel that the caller may use serves the name.
    pub fn find(self, requested: &str) -> Result<Route<'r>, ResolveError> {
        if self.caller.is_none() {
            return self.routes.find(requested);
        }
        let first = self.all(requested).into_iter().next();
        first.ok_or_else(|| self.why_not(requested))
    }

    /// Why [`Self::resolve`] finds nothing, if it does not. What a caller may not use does not exist for it.
    #[must_use]
    pub fn why_not(self, requested: &str) -> ResolveError {
        if self.caller.is_none() {
            return self.routes.why_not(requested);
        }
        let name = requested.to_owned();
        if !self.all(requested).is_empty() {
            return ResolveError::NoCredentials(name);
        }
        if self.routes.routes_of(requested).next().is_some() {
            return ResolveError::Withheld(name);
        }
        ResolveError::NotPermitted(name)
    }

    /// Why a request by a name that chooses cannot be served by any of the models that it has chosen.
    #[must_use]
    pub fn why_none(self, name: &str, models: &[&str]) -> ResolveError {
        let by_name = self.by(name);
        let mut all = models.iter().map(|model| by_name.why_not(model));
        let name = name.to_owned();
        if all.any(|why| matches!(why, ResolveError::NoCredentials(_))) {
            ResolveError::NoCredentials(name)
        } else if self.caller.is_some() {
            ResolveError::NotPermitted(name)
        } else {
            ResolveError::NoneChosen(name)
        }
    }

    /// The model that describes a name: of one that chooses, the first that the caller may use.
    #[must_use]
    pub fn example_of<'n>(self, name: &'n str) -> Option<&'n str>
    where
        'r: 'n,
    {
        if !self.routes.is_choice(name) {
            return Some(name);
        }
        let by_name = self.by(name);
        let mut models = self.routes.models_of(name).into_iter();
        models.find(|model| by_name.find(model).is_ok())
    }

    /// Where a name leads, or the first model that describes it.
    ///
    /// # Errors
    ///
    /// When no channel that the caller may use serves it.
    pub fn describe(self, name: &str) -> Result<Route<'r>, ResolveError> {
        match self.example_of(name) {
            Some(model) => self.by(name).find(model),
            None => Err(self.why_none(name, &self.routes.models_of(name))),
        }
    }

    /// The names that the caller can ask for, sorted.
    pub fn listed(self) -> impl Iterator<Item = &'r Listed> {
        let all = self.routes.listed().iter();
        all.filter(move |own| self.caller.is_none() || self.describe(&own.name).is_ok())
    }

    /// Everything that is configured, whether the caller may use it or not.
    #[must_use]
    pub fn routes(self) -> &'r Routes {
        self.routes
    }

    /// Whether the caller may ask for a name, wherever that leads.
    #[must_use]
    pub fn may_ask_for(self, name: &str) -> bool {
        self.caller
            .is_none_or(|own| own.may_use_model(std::iter::once(name)))
    }

    /// The enabled channels that may serve the caller, in the order of the configuration.
    pub fn channels(self) -> impl Iterator<Item = &'r CompiledChannel> {
        let may_use = move |name: &str| self.caller.is_none_or(|own| own.may_use_channel(name));
        let all = self.routes.enabled();
        all.filter(move |own| may_use(&own.channel.name))
    }

    /// Whether a channel serves a name to the caller.
    #[must_use]
    pub fn is_served_by(self, channel: &str, requested: &str) -> bool {
        let route = self.routes.route_on(channel, requested);
        let may_use = |own: &Route<'_>| match self.caller {
            Some(caller) => caller.may_use_channel(channel) && self.may_use(caller, own),
            None => true,
        };
        route.as_ref().is_some_and(may_use)
    }

    /// Every channel that serves a name, with or without credentials.
    fn all(self, requested: &str) -> Vec<Route<'r>> {
        self.narrow(self.routes.routes_of(requested))
    }

    fn may_use(self, caller: &Caller, route: &Route<'_>) -> bool {
        self.any_model || caller.may_use_model(names(route))
    }

    fn narrow(self, all: impl Iterator<Item = Route<'r>>) -> Vec<Route<'r>> {
        let Some(caller) = self.caller else {
            return all.collect();
        };
        let mut routes: Vec<_> = all
            .filter(|own| caller.may_use_channel(&own.channel.channel.name))
            .collect();
        let count = routes.len();
        routes.retain(|own| self.may_use(caller, own));
        if routes.len() < count {
            routes.truncate(1);
        }
        routes
    }
}

/// What a caller may have been allowed: the name that led to the model, or any other name of that model.
fn names<'n>(route: &'n Route<'_>) -> impl Iterator<Item = &'n str> {
    let model = route.model.into_iter();
    let known =
        model.flat_map(|model: &Model| [model.id].into_iter().chain(model.aliases.iter().copied()));
    std::iter::once(route.requested.as_str()).chain(known)
}

#[cfg(test)]
mod tests;
