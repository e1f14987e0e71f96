//! The names that clients can ask for.

use std::collections::BTreeSet;

use super::Routes;
use crate::catalog::{self, Model};
use crate::config::{Channel, ModelIds};

/// A name that clients can ask for.
#[derive(Debug)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// What the catalogue knows of the model behind it.
    pub model: Option<&'static Model>,
}

impl Routes {
    /// Every name that an enabled channel serves, and whose model is served at all, sorted: what administrators wrote, and where the channel lets
    /// clients ask for it, the catalogue's short names, model ids, and the ids of the inference profiles that can
    /// be called from the channel's region; and names that choose one of these. Never an ARN. It is put together once.
    pub fn listed(&self) -> &[Listed] {
        self.listed.get_or_init(|| {
            let mut names: BTreeSet<String> =
                self.enabled().flat_map(|own| names(&own.channel)).collect();
            names.extend(self.choices().map(str::to_owned));
            let names = names.into_iter().filter(|name| !name.starts_with("arn:"));
            let found = names.filter_map(|name| {
                let route = self.permitted(None).describe(&name).ok()?;
                let model = route.model;
                route.serving().check(&route.requested).ok()?;
                Some(Listed { name, model })
            });
            found.collect()
        })
    }
}

/// The names of one channel, whether they resolve or not.
fn names(channel: &Channel) -> Vec<String> {
    let mut names: Vec<_> = channel.written_names().cloned().collect();
    if channel.models.is_empty() && channel.allow_model_ids != ModelIds::None {
        for model in catalog::models() {
            names.extend(model.names_in(&channel.region));
        }
    }
    names
}
