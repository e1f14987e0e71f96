//! The types that only settings of channels have.

use std::collections::BTreeMap;

use bedrock_filter::catalog::{CrossRegion, ModelFamily};
use bedrock_filter::config::{
    Api, Guardrail, ModelIds, ModelsMode, NameMatch, SignedBy, UnknownParameters,
};
use serde_json::value::RawValue;
use utoipa::openapi::schema::Schema;

use crate::channel::guardrail;
use crate::fault::Fault;
use crate::reader::{self, Choice};
use crate::setting::{Input, SettingType, map, words};

impl SettingType for Option<Guardrail> {
    const INPUT: Input = Input::Object;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        guardrail::read(raw, at, faults)
    }

    fn schema() -> Schema {
        guardrail::schema()
    }
}

impl SettingType for BTreeMap<String, ModelFamily> {
    const INPUT: Input = Input::Map;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::enum_map(raw, at, "unknown_family", faults)
    }

    fn schema() -> Schema {
        map(words(ModelFamily::ALL))
    }
}

impl SettingType for BTreeMap<String, Api> {
    const INPUT: Input = Input::Map;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::enum_map(raw, at, "unknown_api", faults)
    }

    fn schema() -> Schema {
        map(words(Api::ALL))
    }
}

impl Choice for SignedBy {
    const ALL: &'static [Self] = &[Self::Filter, Self::Envoy];
    const CLEARED: Option<Self> = Some(Self::Filter);
}

impl Choice for ModelIds {
    const ALL: &'static [Self] = &[Self::None, Self::Catalogue, Self::Any];
}

impl Choice for NameMatch {
    const ALL: &'static [Self] = &[Self::Exact, Self::Model];
}

impl Choice for ModelsMode {
    const ALL: &'static [Self] = &[Self::Allowlist, Self::Fallback];
}

impl Choice for UnknownParameters {
    const ALL: &'static [Self] = &[Self::LeaveOut, Self::Refuse];
}

impl Choice for Api {
    const ALL: &'static [Self] = &[Self::Auto, Self::Invoke, Self::Converse];
    const CLEARED: Option<Self> = Some(Self::Auto);
}

impl Choice for CrossRegion {
    const ALL: &'static [Self] = &[Self::Off, Self::Geo, Self::Global];
}
