//! What is counted and logged of an Envoy's requests.

use super::super::session::{Event, Kind, Request};
use super::Stream;

impl Stream {
    pub(super) fn count(&self, kind: Kind, event: &Event) {
        let metrics = &self.server.metrics;
        match event {
            Event::Acknowledged(_) => metrics.acknowledged(kind.name()),
            Event::Activated(revision) => {
                metrics.acknowledged(kind.name());
                let current = self.server.published.borrow();
                if current.revision == *revision {
                    metrics.pushed(current.made_at.elapsed());
                }
            }
            Event::Rejected { .. } => metrics.rejected(kind.name()),
            Event::Subscribed | Event::Deferred(_) | Event::Stale => {}
        }
    }

    pub(super) fn log_hold(&self, request: &Request) {
        tracing::warn!(
            node.id = self.entry.as_ref().map_or("", |(_, node)| node.id.as_str()),
            version = request.version,
            "Envoy keeps its channels: the service started without any, and only an edit takes \
             them away; if the database was lost, stop the service and restore a backup"
        );
    }

    pub(super) fn log(&self, kind: Kind, event: &Event) {
        let id = self.entry.as_ref().map_or("", |(_, node)| node.id.as_str());
        match event {
            Event::Acknowledged(revision) => {
                tracing::debug!(node.id = id, ?kind, revision, "acknowledged");
            }
            Event::Activated(revision) => {
                tracing::debug!(node.id = id, ?kind, revision, "active");
            }
            // It is sent again and again; a repeated refusal is not news.
            Event::Rejected {
                revision,
                reason,
                times,
            } if times.is_power_of_two() => {
                tracing::warn!(
                    node.id = id,
                    ?kind,
                    revision,
                    reason,
                    times,
                    "rejected by Envoy"
                );
            }
            Event::Rejected { .. } => {}
            Event::Deferred(revision) => {
                tracing::debug!(node.id = id, revision, "not accepted by Envoy yet");
            }
            Event::Subscribed => tracing::debug!(node.id = id, ?kind, "subscribed"),
            Event::Stale => tracing::debug!(node.id = id, ?kind, "stale request ignored"),
        }
    }
}
