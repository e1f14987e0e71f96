//! The settings in the API's document.

use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::SETTINGS;
use crate::channel::{Channel, Credentials};

/// The schema of the fields that an administrator can write.
pub(crate) enum ChannelEdit {}

impl PartialSchema for ChannelEdit {
    fn schema() -> RefOr<Schema> {
        let stand_in = Credentials::DefaultChain { profile: None };
        let defaults = Channel::new("", "", stand_in);
        let object = ObjectBuilder::new()
            .description(Some("The fields that an administrator can write"))
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
