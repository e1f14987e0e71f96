//! What a request says, and what follows from it.

use std::collections::BTreeSet;
use std::time::Instant;

use bedrock_filter::config::Generation;

use super::lane::Meaning;
use super::resource::Resource;
use super::version::{Content, Plugin};
use super::{Event, Offered, Request, Session, Wanted, WithoutModule};

/// Longest reason of a refusal that is kept, in bytes.
const MAX_REASON_LEN: usize = 1000;

impl Session {
    /// Handles a request.
    pub fn request(&mut self, request: &Request, now: Instant) -> Event {
        let refusal = request.error.as_deref().map(|error| self.reason(error));
        self.told.note(&request.version);
        match &request.wanted {
            Wanted::Clusters => self.clusters_request(request, refusal, now),
            Wanted::Filters { plugin, stages } => {
                let event = self.filters_request(request, refusal, now);
                if event != Event::Stale {
                    if *plugin {
                        self.subscribe_plugin();
                    } else {
                        self.plugin = None;
                    }
                    self.subscribe_stages(stages);
                }
                event
            }
        }
    }

    fn clusters_request(
        &mut self,
        request: &Request,
        refusal: Option<String>,
        now: Instant,
    ) -> Event {
        match (self.cds.request(&request.nonce), refusal) {
            (Meaning::Stale, _) => Event::Stale,
            (Meaning::Subscription, _) => {
                self.clusters.wanted_again();
                Event::Subscribed
            }
            (Meaning::First, _) => {
                self.take_up(&request.version);
                Event::Subscribed
            }
            (Meaning::Answer(()), None) => {
                self.clusters.taken_by_envoy();
                self.clusters_taken_for = Some(self.clusters_sent_for);
                Event::Acknowledged(self.clusters_sent_for)
            }
            (Meaning::Answer(()), Some(reason)) => {
                // Clusters that are not needed must not hold up those that are.
                if let (Some(sent), Some(error)) = (self.clusters.offered(), &request.error) {
                    self.left_behind.refused(error, sent);
                }
                let times = self.clusters.refused_by_envoy(reason.clone(), now);
                rejected(self.clusters_sent_for, reason, times)
            }
        }
    }

    /// Continues from the clusters that the Envoy has: it may still run what an earlier revision needs.
    fn take_up(&mut self, version: &str) {
        let brought: Option<Content> = version.parse().ok();
        self.clusters_taken_for = brought.map(|content| content.revision);
        if version.is_empty() || version == self.clusters_version(&self.target_clusters) {
            return;
        }
        // The latest go last, because they are dropped last.
        for cluster in self.target.retired.iter().rev() {
            self.left_behind.keep(cluster);
        }
        for cluster in &self.target_clusters {
            self.left_behind.forget(&cluster.name);
        }
    }

    fn filters_request(
        &mut self,
        request: &Request,
        refusal: Option<String>,
        now: Instant,
    ) -> Event {
        match self.ecds.request(&request.nonce) {
            Meaning::Stale => Event::Stale,
            Meaning::Subscription => {
                // Envoy asks again when something in it starts to use a filter. Nothing starts to use an
                // old generation's.
                let stage = self.stages.get_mut(&self.terms.generation);
                stage.map(Resource::wanted_again);
                self.plugin.as_mut().map(Resource::wanted_again);
                Event::Subscribed
            }
            Meaning::First => {
                self.brought = Plugin::read(&request.version);
                Event::Subscribed
            }
            Meaning::Answer(Offered::Plugin(without_module)) => {
                self.plugin_answer(without_module, refusal, now)
            }
            Meaning::Answer(Offered::Stage(generation)) => {
                self.stage_answer(generation, refusal, now)
            }
        }
    }

    fn plugin_answer(
        &mut self,
        without_module: WithoutModule,
        refusal: Option<String>,
        now: Instant,
    ) -> Event {
        let is_local = self.is_local();
        let Some(plugin) = &mut self.plugin else {
            return Event::Subscribed;
        };
        let revision = plugin.offered().map_or(0, |content| content.revision);
        if let Some(reason) = refusal {
            let times = plugin.refused_by_envoy(reason.clone(), now);
            return self.refused(revision, reason, times);
        }
        if !is_local && without_module == WithoutModule::Wait {
            plugin.taken_without_module(now);
            return Event::Acknowledged(revision);
        }
        plugin.taken_by_envoy();
        Event::Activated(revision)
    }

    fn stage_answer(
        &mut self,
        generation: Generation,
        refusal: Option<String>,
        now: Instant,
    ) -> Event {
        let revision = self.target.revision;
        let Some(stage) = self.stages.get_mut(&generation) else {
            return Event::Subscribed;
        };
        if generation != self.terms.generation {
            // Refused, as intended; nothing more to do.
            stage.taken_by_envoy();
            return Event::Acknowledged(revision);
        }
        if let Some(reason) = refusal {
            let times = stage.refused_by_envoy(reason.clone(), now);
            return self.refused(revision, reason, times);
        }
        stage.taken_by_envoy();
        Event::Acknowledged(revision)
    }

    /// A filter was refused, perhaps because its module is missing.
    fn refused(&mut self, revision: u64, reason: String, times: u32) -> Event {
        self.variant = self.variant.wrapping_add(1);
        if self.is_expected(times) {
            return Event::Deferred(revision);
        }
        rejected(revision, reason, times)
    }

    /// Notes that the Envoy asks for the listeners' filter.
    fn subscribe_plugin(&mut self) {
        if self.plugin.is_none() {
            let brought = self.brought.content.take();
            let taken = brought.filter(|_| self.brought.is_confirmed);
            self.plugin = Some(Resource::new(taken));
        }
    }

    /// Notes which of the pools' filters the Envoy asks for.
    fn subscribe_stages(&mut self, stages: &BTreeSet<Generation>) {
        self.stages
            .retain(|generation, _| stages.contains(generation));
        for generation in stages {
            let stage = self.stages.entry(*generation);
            stage.or_insert_with(|| Resource::new(None));
        }
    }

    /// A refusal's reason without secrets, on one line of limited length. Envoy may quote the
    /// configuration that it refuses.
    fn reason(&self, error: &str) -> String {
        let mut reason = self.target.scrub(error);
        if let Some(sent) = &self.sent {
            reason = sent.scrub(&reason);
        }
        let mut reason = reason.replace(char::is_control, " ");
        reason.truncate(reason.floor_char_boundary(MAX_REASON_LEN));
        reason
    }
}

fn rejected(revision: u64, reason: String, times: u32) -> Event {
    Event::Rejected {
        revision,
        reason,
        times,
    }
}
