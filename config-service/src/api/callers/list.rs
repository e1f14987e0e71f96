//! Filtering and paging of the list of callers.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Problem;
use crate::caller::{CallerBook, CallerView, LastUses, StoredCaller};

/// Callers on a page by default, and at most.
const PAGE: (usize, usize) = (100, 1000);

/// The query of a list; an absent parameter filters nothing.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Callers per page, 1 to 1000
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `next_page_token` of the previous page
    page_token: Option<String>,
    /// Start of the name
    name: Option<String>,
    /// Whether it is enabled
    enabled: Option<bool>,
}

/// The callers of one page, in the order of their names.
#[derive(Serialize, ToSchema)]
pub(super) struct CallerList {
    /// The revision that they belong to.
    revision: u64,
    /// The callers of this page.
    callers: Vec<CallerView>,
    /// Pass this as `page_token` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next_page_token: Option<String>,
}

impl Filter {
    /// The requested page.
    pub(super) fn page(
        &self,
        revision: u64,
        book: &CallerBook,
        uses: &LastUses,
    ) -> Result<CallerList, Problem> {
        let (usual, most) = PAGE;
        let limit = self.limit.unwrap_or(usual);
        if !(1..=most).contains(&limit) {
            let message = format!("the parameter limit is {limit}; it must be 1 to {most}");
            return Err(Problem::bad_request(message));
        }
        // The token is the last name: a caller that was deleted meanwhile does no harm.
        let after = self.page_token.as_deref().unwrap_or_default();
        let all = book.callers.iter();
        let mut wanted = all.filter(|own| own.caller.name.as_str() > after && self.wants(own));
        let page: Vec<_> = wanted.by_ref().take(limit).collect();
        let last = page.last().filter(|_| wanted.next().is_some());
        Ok(CallerList {
            revision,
            next_page_token: last.map(|own| own.caller.name.clone()),
            callers: page.iter().map(|own| CallerView::new(own, uses)).collect(),
        })
    }

    fn wants(&self, stored: &StoredCaller) -> bool {
        let caller = &stored.caller;
        let prefix = self.name.as_deref().unwrap_or_default();
        caller.name.starts_with(prefix) && self.enabled.is_none_or(|own| own == caller.enabled)
    }
}
