//! The settings in the API's document.

use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::{Limit, SETTINGS, Setting};
use crate::channel::{Channel, Credentials};

/// What an administrator writes of a channel, as a schema.
pub(crate) enum ChannelEdit {}

impl PartialSchema for ChannelEdit {
    fn schema() -> RefOr<Schema> {
        let stand_in = Credentials::DefaultChain { profile: None };
        let defaults = Channel::new("", "", stand_in);
        let object = ObjectBuilder::new()
            .description(Some("The fields that an administrator writes"))
            .property("credentials", Ref::from_schema_name(Credentials::name()));
        let object = SETTINGS.iter().fold(object, |object, setting| {
            object.property(setting.name, setting.schema(&defaults))
        });
        object.into()
    }
}

impl ToSchema for ChannelEdit {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Credentials::name().into(), Credentials::schema()));
        Credentials::schemas(schemas);
    }
}

impl Setting {
    fn schema(&self, defaults: &Channel) -> Schema {
        let description = Some(self.meaning.trim().to_owned());
        // An empty text stands in for what has to be given.
        let default = Some(self.show(defaults)).filter(|value| *value != "");
        let mut schema = (self.schema)();
        match &mut schema {
            Schema::Object(own) => {
                (own.description, own.default) = (description, default);
                match self.limit {
                    Some(Limit::Range(least, most)) => {
                        own.minimum = Some(least.into());
                        own.maximum = Some(most.into());
                    }
                    Some(Limit::Pattern(pattern)) => own.pattern = Some(pattern.to_owned()),
                    None => {}
                }
            }
            Schema::Array(own) => (own.description, own.default) = (description, default),
            Schema::OneOf(own) => (own.description, own.default) = (description, default),
            _ => {}
        }
        schema
    }
}
