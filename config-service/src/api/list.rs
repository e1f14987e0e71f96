//! Filtering and paging of the list of channels.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use crate::channel::{ChannelView, StoredChannel};
use crate::channels::Channels;
use crate::store::Contents;

/// The most channels on a page.
const MAX_LIMIT: usize = 500;

/// The query of a list; an absent parameter filters nothing.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Channels per page, 1 to 500
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `next_page_token` of the previous page
    page_token: Option<String>,
    /// Start of the name
    name: Option<String>,
    /// A name that the channel lists or maps
    model: Option<String>,
    /// AWS region
    region: Option<String>,
    /// Whether it is enabled
    enabled: Option<bool>,
    /// Kind of its credentials
    credential_type: Option<String>,
}

/// The channels of one page.
#[derive(Debug)]
pub(super) struct Page<'c> {
    revision: u64,
    channels: Vec<&'c StoredChannel>,
    is_last: bool,
}

/// A page as sent to the client.
#[derive(Serialize, ToSchema)]
pub(super) struct ChannelList {
    /// The revision that they belong to.
    revision: u64,
    /// The channels of this page.
    channels: Vec<ChannelView>,
    /// Pass this as `page_token` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next_page_token: Option<String>,
}

impl Filter {
    /// The requested page of `contents`.
    pub(super) fn page<'c>(&self, contents: &'c Contents) -> Result<Page<'c>, Problem> {
        let limit = self.limit.unwrap_or(usize::MAX);
        if self
            .limit
            .is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit))
        {
            let message = format!("the parameter limit is {limit}; it must be 1 to {MAX_LIMIT}");
            return Err(Problem::bad_request(message));
        }
        let start = self.start(contents)?;
        let rest = contents.channels.iter().skip(start);
        let mut wanted = rest.filter(|stored| self.wants(stored));
        let channels: Vec<_> = wanted.by_ref().take(limit).collect();
        Ok(Page {
            revision: contents.revision,
            channels,
            is_last: wanted.next().is_none(),
        })
    }

    /// Index of the first channel after the previous page.
    fn start(&self, contents: &Contents) -> Result<usize, Problem> {
        let Some(token) = &self.page_token else {
            return Ok(0);
        };
        let last = contents.channels.iter().position(|own| own.id == *token);
        let last = last.ok_or_else(|| {
            Problem::bad_request(
                "the page_token is not valid or has expired; start with the first page",
            )
        })?;
        Ok(last + 1)
    }

    fn wants(&self, stored: &StoredChannel) -> bool {
        let channel = &stored.channel;
        let serves = |model: &String| channel.models.contains(model) || channel.maps(model);
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        let prefix = self.name.as_deref().unwrap_or_default();
        channel.name.starts_with(prefix)
            && self.model.as_ref().is_none_or(serves)
            && is(&self.region, &channel.region)
            && self
                .enabled
                .is_none_or(|enabled| enabled == channel.enabled)
            && is(&self.credential_type, channel.credentials.kind())
    }
}

impl Page<'_> {
    pub(super) fn view(&self, channels: &Channels) -> ChannelList {
        let last = self.channels.last().filter(|_| !self.is_last);
        ChannelList {
            revision: self.revision,
            channels: self.channels.iter().map(|own| channels.view(own)).collect(),
            next_page_token: last.map(|stored| stored.id.clone()),
        }
    }
}
