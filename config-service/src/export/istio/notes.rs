//! What stands above a manifest: how to apply it, what it needs, and what it cannot do.

use super::plan::{Parents, Plan, Way, Workload};
use super::source::{Module, Source};
use super::target::{Context, Sharing, breaks_line};
use super::{Channels, bootstrap, parts};
use crate::cluster::EXPORTED;

/// Largest object that `kubectl apply` can copy into an annotation, in bytes
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>).
const MAX_ANNOTATION_BYTES: usize = 262_144;

/// Largest object, in bytes: etcd takes 1.5 MiB unless it is told otherwise (<https://etcd.io/docs/latest/dev-guide/limit/>),
/// and Kubernetes adds who owns which fields.
pub(in crate::export) const MAX_OBJECT_BYTES: usize = 1_560_000;

/// The comment, for a manifest whose largest document has this many bytes, and which has so many `EnvoyFilter`s.
pub(super) fn comment(
    channels: &Channels<'_>,
    plan: &Plan,
    (bytes, filters): (usize, usize),
) -> String {
    let lines = [what(channels, plan)]
        .into_iter()
        .chain(needs(plan))
        .chain(size(plan, bytes))
        .chain(several(plan, filters))
        .chain(limits(channels, plan));
    lines.map(|line| commented(&line)).collect()
}

/// A line as a comment, and nothing but a comment whatever it has.
fn commented(line: &str) -> String {
    let lines = line.split(breaks_line);
    lines.map(|line| format!("# {line}\n")).collect()
}

fn what(channels: &Channels<'_>, plan: &Plan) -> String {
    let revision = channels.snapshot.revision;
    match plan.source {
        Source::Copy(_) => format!(
            "The channels of revision {revision} for Istio. This is a snapshot: export again after an edit."
        ),
        Source::Live(_) => format!(
            "The Bedrock filter for Istio, with the endpoints of revision {revision}; its channels come from the \
             config-service."
        ),
    }
}

fn needs(plan: &Plan) -> Vec<String> {
    let mut lines = vec!["Apply it with `kubectl apply --server-side -f FILE`.".to_owned()];
    let container = match plan.context {
        Context::Gateway => "the gateway's container",
        Context::Sidecar => "the container `istio-proxy` of each of these pods",
    };
    lines.push(format!(
        "Before that give {container} the variable BEDROCK_SEAL_KEY of the Secret `{}`, for example:",
        plan.seal_secret
    ));
    let workload = match &plan.workload {
        Workload::Gateway(name) => format!("{name}-istio"),
        Workload::Labels(_) => "WORKLOAD".to_owned(),
    };
    lines.push(format!(
        "  kubectl -n {} set env deployment/{workload} --from=secret/{}",
        plan.namespace, plan.seal_secret
    ));
    match &plan.source {
        Source::Copy(Module::File(path)) => {
            lines.push(format!("The filter's module must be in its image, as {path}."));
        }
        Source::Copy(Module::Remote { uri, .. }) => lines.push(format!(
            "To try it out: if the module cannot be fetched from {uri} when the workload starts, its chats get 503 \
             until it is started again."
        )),
        Source::Live(xds) if xds.client == super::target::XdsClient::EnvoyGrpc => {
            lines.push(format!(
                "Its pods need the annotation `sidecar.istio.io/bootstrapOverride: {}`.",
                bootstrap::name(plan)
            ));
        }
        Source::Live(_) => {}
    }
    lines
}

fn size(plan: &Plan, bytes: usize) -> Option<String> {
    (bytes > MAX_ANNOTATION_BYTES).then(|| {
        let refused =
            format!("At {bytes} bytes, `kubectl apply` without --server-side refuses it.");
        match plan.is_live() {
            true => refused,
            false => refused + " With mode=live its size does not grow with the channels' maps.",
        }
    })
}

fn several(plan: &Plan, filters: usize) -> Option<String> {
    (filters > 1).then(|| {
        format!(
            "It has {filters} EnvoyFilters, which belong together. If an earlier one had more, delete the others, such as \
             `{}`: their clusters would stay.",
            parts::name(plan, filters + 1)
        )
    })
}

/// What helps if a document is too large.
pub(super) fn remedy(plan: &Plan) -> &'static str {
    match (&plan.source, &plan.way) {
        (Source::Copy(_), Way::Clusters) => {
            "use mode=live, where the config-service sends the channels"
        }
        (Source::Copy(_), Way::Routes(_)) => {
            "set xds, so that the config-service sends the channels"
        }
        (Source::Live(_), _) => {
            "name fewer endpoints, or serve the channels by several config-services"
        }
    }
}

fn limits(channels: &Channels<'_>, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if plan.is_live() {
        lines.push(format!(
            "It has clusters for {} endpoints and pools. A channel that needs another one gets 503 until you export \
             and apply this again; `endpoints` names regions in advance.",
            channels.clusters.len()
        ));
    }
    if channels.left > 0 {
        lines.push(format!(
            "It keeps {} clusters that channels used within the last {} days, for gateways that still have an earlier \
             copy.",
            channels.left,
            EXPORTED.as_secs() / (24 * 3600)
        ));
    }
    if let Way::Routes(parents) = &plan.way {
        lines.push("There is no failover this way.".to_owned());
        if let Parents::Gateways(names) = parents
            && plan.context == Context::Gateway
        {
            lines.push(format!(
                "A server of each of these Gateways must serve the host `*`: {}.",
                names.join(", ")
            ));
        }
    }
    if plan.sharing == Sharing::Own {
        lines.push(
            "Its limits are for a gateway of its own; where other hosts are served too, export with sharing=shared."
                .to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_never_ends_before_its_line() {
        assert_eq!(commented("a b"), "# a b\n");
        for end in ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"] {
            assert_eq!(commented(&format!("a{end}---")), "# a\n# ---\n", "{end:?}");
        }
    }
}
