//! What a stream reports to the fleet's status.

use super::Session;
use crate::filter_code::ModuleDelivery;
use crate::fleet::{Delivery, Progress, Rejection, WaitingFor};

/// The most refusals in a row that may just mean that the module is being fetched.
const EXPECTED_REFUSALS: u32 = 3;

impl Session {
    /// What has been acknowledged and refused so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            plugin: self.plugin_delivery(),
            clusters: self.clusters_delivery(),
            waiting_for: self.waiting_for(),
            has_pools_filter: self.stage_is_there(),
            held: self.is_held(),
        }
    }

    /// Whether this many refusals in a row may come from an Envoy that is fetching the
    /// module.
    pub(super) fn is_expected(&self, times: u32) -> bool {
        self.terms.delivery == ModuleDelivery::Fetched && times <= EXPECTED_REFUSALS
    }

    fn plugin_delivery(&self) -> Delivery {
        let Some(plugin) = &self.plugin else {
            return Delivery::default();
        };
        let content = &self.plugin_content;
        let refused = |revision, refusal: (u32, &String)| {
            let (times, reason) = refusal;
            (!self.is_expected(times)).then(|| Rejection {
                revision,
                reason: reason.clone(),
            })
        };
        let own = plugin.refusal();
        let own = own.and_then(|it| refused(it.content.revision, (it.times, &it.reason)));
        let stage = self.current_stage().and_then(|stage| stage.refusal());
        let stage = stage.and_then(|it| refused(content.revision, (it.times, &it.reason)));
        Delivery {
            subscribed: true,
            active: plugin.taken().map(|taken| taken.revision),
            is_current: plugin.is_settled_at(content),
            rejected: own.or(stage),
        }
    }

    fn clusters_delivery(&self) -> Delivery {
        let refusal = self.clusters.refusal().map(|refusal| {
            // An answer applies to every revision with the same clusters.
            let still_holds = refusal.content == self.desired_clusters();
            Rejection {
                revision: if still_holds {
                    self.target.revision
                } else {
                    self.clusters_sent_for
                },
                reason: refusal.reason.clone(),
            }
        });
        Delivery {
            subscribed: self.cds.is_open(),
            active: self.clusters_taken_for.filter(|_| self.cds.is_open()),
            is_current: self.clusters_are_there(),
            rejected: refusal,
        }
    }

    /// What the Envoy still has to do before it runs the target.
    fn waiting_for(&self) -> Option<WaitingFor> {
        if self.is_held() {
            return None;
        }
        if self.cds.is_open() && !self.clusters_are_there() {
            return Some(WaitingFor::Clusters);
        }
        let lacks_stage = self.has_clusters() && !self.stage_is_there();
        if lacks_stage || self.awaits_pools() {
            return Some(WaitingFor::Module);
        }
        let plugin = self.plugin.as_ref()?;
        let is_there = plugin.is_settled_at(&self.plugin_content);
        (!is_there).then_some(WaitingFor::PluginConfiguration)
    }
}
