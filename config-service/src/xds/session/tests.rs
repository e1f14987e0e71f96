use super::*;
use crate::channels::Settings;
use crate::credentials::IssuedCredentials;
use crate::publish::{Host, Transport, UpstreamStage};
use crate::store::Contents;

fn snapshot(revision: u64, hosts: &[&str]) -> Snapshot {
    let contents = Contents {
        revision,
        channels: Vec::new(),
    };
    let mut snapshot =
        Snapshot::compile(&contents, &Settings::default(), &IssuedCredentials::new()).unwrap();
    snapshot.clusters = hosts.iter().map(|host| cluster(host)).collect();
    snapshot
}

fn cluster(host: &str) -> Cluster {
    Cluster {
        name: format!("bedrock|https|{host}|443"),
        hosts: vec![Host {
            host: host.to_owned(),
            port: 443,
            region: "us-east-1".to_owned(),
            channel: None,
        }],
        transport: Transport::Tls,
        stage: UpstreamStage::Absent,
        signing: None,
    }
}

/// A stream seen from the Envoy's end.
struct Envoy {
    session: Session,
    nonces: [String; 2],
    /// How the latest plugin configuration was offered.
    offered: Option<(WithoutModule, u32)>,
}

impl Envoy {
    fn new(revision: u64, hosts: &[&str]) -> Self {
        Self {
            session: Session::new(Arc::new(snapshot(revision, hosts)), ModuleDelivery::Local),
            nonces: Default::default(),
            offered: None,
        }
    }

    /// An Envoy that fetches the module and asks for the plugin configuration alone.
    fn fetching(revision: u64, version: &str) -> Self {
        let mut envoy = Self::new(revision, &["a"]);
        envoy.session.module = ModuleDelivery::Fetched;
        assert_eq!(
            envoy.ask(Kind::Plugin, version),
            [format!("ecds {revision}")]
        );
        envoy
    }

    fn retry(&mut self) -> Vec<String> {
        self.session.retry();
        self.receive()
    }

    /// An Envoy that asked for both types and acknowledged everything.
    fn settled(revision: u64, hosts: &[&str]) -> Self {
        let mut envoy = Self::new(revision, hosts);
        envoy.ask(Kind::Clusters, "");
        envoy.ask(Kind::Plugin, "");
        envoy.ack(Kind::Clusters);
        envoy.ack(Kind::Plugin);
        envoy
    }

    fn send(
        &mut self,
        kind: Kind,
        version: &str,
        wanted: bool,
        error: Option<&str>,
    ) -> Vec<String> {
        let request = Request {
            kind,
            version: version.to_owned(),
            nonce: self.nonces[kind as usize].clone(),
            wanted,
            error: error.map(str::to_owned),
        };
        self.session.request(&request);
        self.receive()
    }

    fn ask(&mut self, kind: Kind, version: &str) -> Vec<String> {
        self.send(kind, version, true, None)
    }

    fn ack(&mut self, kind: Kind) -> Vec<String> {
        self.send(kind, "", true, None)
    }

    fn nack(&mut self, kind: Kind, reason: &str) -> Vec<String> {
        self.send(kind, "", true, Some(reason))
    }

    fn publish(&mut self, revision: u64, hosts: &[&str]) -> Vec<String> {
        self.session.retarget(Arc::new(snapshot(revision, hosts)));
        self.receive()
    }

    /// What is sent now, as `cds VERSION HOSTS` and `ecds VERSION`.
    fn receive(&mut self) -> Vec<String> {
        let responses = self.session.advance();
        assert_eq!(self.session.advance(), [], "nothing is sent twice");
        responses.into_iter().map(|it| self.show(it)).collect()
    }

    fn show(&mut self, response: Response) -> String {
        match response.body {
            Body::Clusters(clusters) => {
                self.nonces[Kind::Clusters as usize] = response.nonce;
                let hosts: Vec<_> = clusters
                    .iter()
                    .map(|it| it.hosts[0].host.as_str())
                    .collect();
                format!("cds {} {}", response.version, hosts.join(","))
            }
            Body::Plugin(offered) => {
                self.nonces[Kind::Plugin as usize] = response.nonce;
                assert_eq!(response.version, offered.snapshot.revision.to_string());
                self.offered = Some((offered.without_module, offered.refusals));
                format!("ecds {}", response.version)
            }
        }
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn clusters_are_acknowledged_before_the_plugin_configuration_is_sent() {
    let mut envoy = Envoy::new(1, &["a"]);
    assert_eq!(envoy.ask(Kind::Clusters, ""), ["cds 1 a"]);
    assert_eq!(envoy.ask(Kind::Plugin, ""), NOTHING);
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 1"]);
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
}

#[test]
fn an_edit_that_moves_the_endpoint_makes_before_it_breaks() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(2, &["b"]), ["cds 2.transition a,b"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 2"]);
    assert_eq!(envoy.ack(Kind::Plugin), ["cds 2 b"]);
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
}

#[test]
fn an_edit_that_leaves_the_endpoints_alone_sends_the_plugin_configuration_only() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(2, &["a"]), ["ecds 2"]);
    envoy.ack(Kind::Plugin);
    let progress = envoy.session.progress();
    assert_eq!(progress.plugin.active, Some(2));
    assert_eq!(progress.clusters.active, Some(2));
}

#[test]
fn a_cluster_that_comes_back_while_it_is_being_removed_is_made_again_first() {
    let mut envoy = Envoy::settled(1, &["a", "b"]);
    assert_eq!(envoy.publish(2, &["b"]), ["ecds 2"]);
    assert_eq!(envoy.ack(Kind::Plugin), ["cds 2 b"]);
    assert_eq!(envoy.publish(3, &["a", "b"]), NOTHING);
    assert_eq!(envoy.ack(Kind::Clusters), ["cds 3 a,b"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 3"]);
}

#[test]
fn revisions_that_come_faster_than_answers_are_skipped() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(2, &["a"]), ["ecds 2"]);
    assert_eq!(envoy.publish(3, &["a"]), NOTHING);
    assert_eq!(envoy.publish(4, &["a"]), NOTHING);
    assert_eq!(envoy.ack(Kind::Plugin), ["ecds 4"]);
}

#[test]
fn a_refused_plugin_configuration_is_not_repeated_and_a_later_one_is_sent() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(2, &["b"]), ["cds 2.transition a,b"]);
    envoy.ack(Kind::Clusters);
    assert_eq!(envoy.nack(Kind::Plugin, "no"), NOTHING);
    let plugin = envoy.session.progress().plugin;
    assert_eq!(plugin.active, Some(1));
    let rejection = plugin.rejected.unwrap();
    assert_eq!((rejection.revision, rejection.reason.as_str()), (2, "no"));
    // The old cluster stays, because the old configuration is still in force.
    assert_eq!(envoy.publish(3, &["b"]), ["ecds 3"]);
    assert_eq!(envoy.ack(Kind::Plugin), ["cds 3 b"]);
    assert_eq!(envoy.session.progress().plugin.rejected, None);
}

#[test]
fn refused_clusters_hold_the_plugin_configuration_back() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(2, &["a", "b"]);
    assert_eq!(envoy.nack(Kind::Clusters, "bad b"), NOTHING);
    assert_eq!(envoy.publish(3, &["a", "b"]), NOTHING);
    let rejection = envoy.session.progress().clusters.rejected.unwrap();
    assert_eq!(
        (rejection.revision, rejection.reason.as_str()),
        (3, "bad b")
    );
    // Envoy may have applied a part of the refused set, so that the good one is sent again.
    assert_eq!(envoy.publish(4, &["a"]), ["cds 4 a"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 4"]);
    assert_eq!(envoy.session.progress().clusters.rejected, None);
}

#[test]
fn outdated_nonces_are_ignored() {
    let mut envoy = Envoy::settled(1, &["a"]);
    let old = envoy.nonces.clone();
    assert_eq!(envoy.publish(2, &["a"]), ["ecds 2"]);
    let new = std::mem::replace(&mut envoy.nonces, old);
    assert_eq!(envoy.nack(Kind::Plugin, "late"), NOTHING);
    assert_eq!(envoy.session.progress().plugin.rejected, None);
    envoy.nonces = new;
    envoy.ack(Kind::Plugin);
    assert_eq!(envoy.session.progress().plugin.active, Some(2));
}

#[test]
fn asking_again_is_answered_again_once() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.ask(Kind::Plugin, "1"), ["ecds 1"]);
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
}

#[test]
fn other_extension_names_get_no_answer() {
    let mut envoy = Envoy::new(1, &["a"]);
    assert_eq!(envoy.send(Kind::Plugin, "", false, None), NOTHING);
    assert_eq!(envoy.publish(2, &["a"]), NOTHING);
    assert!(!envoy.session.progress().plugin.subscribed);
    assert_eq!(envoy.send(Kind::Plugin, "", true, None), ["ecds 2"]);
    envoy.ack(Kind::Plugin);
    assert_eq!(envoy.send(Kind::Plugin, "2", false, None), NOTHING);
    assert_eq!(envoy.publish(3, &["a"]), NOTHING);
}

#[test]
fn an_envoy_that_comes_back_gets_everything_again_and_keeps_what_it_runs() {
    let mut target = snapshot(3, &["c"]);
    target.retired = vec![cluster("b"), cluster("a")];
    let mut envoy = Envoy::new(0, &[]);
    envoy.session.retarget(Arc::new(target));
    assert_eq!(envoy.ask(Kind::Clusters, "1"), ["cds 3.transition a,b,c"]);
    assert_eq!(envoy.ask(Kind::Plugin, "1"), NOTHING);
    assert_eq!(envoy.session.progress().plugin.active, Some(1));
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 3"]);
    assert_eq!(envoy.ack(Kind::Plugin), ["cds 3 c"]);
}

#[test]
fn an_envoy_that_comes_back_with_the_current_revision_gets_it_again() {
    let mut envoy = Envoy::new(3, &["c"]);
    assert_eq!(envoy.ask(Kind::Clusters, "3"), ["cds 3 c"]);
    assert_eq!(envoy.ask(Kind::Plugin, "3"), NOTHING);
    assert_eq!(envoy.session.progress().plugin.active, Some(3));
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 3"]);
}

#[test]
fn the_plugin_configuration_alone_waits_for_no_clusters() {
    let mut envoy = Envoy::new(1, &["a"]);
    assert_eq!(envoy.ask(Kind::Plugin, ""), ["ecds 1"]);
    envoy.ack(Kind::Plugin);
    assert_eq!(envoy.publish(2, &["b"]), ["ecds 2"]);
}

#[test]
fn clusters_alone_follow_the_target() {
    let mut envoy = Envoy::new(1, &["a"]);
    assert_eq!(envoy.ask(Kind::Clusters, ""), ["cds 1 a"]);
    envoy.ack(Kind::Clusters);
    assert_eq!(envoy.publish(2, &["b"]), ["cds 2 b"]);
}

#[test]
fn no_channels_means_no_clusters_and_still_a_plugin_configuration() {
    let mut envoy = Envoy::new(0, &[]);
    assert_eq!(envoy.ask(Kind::Clusters, ""), ["cds 0 "]);
    envoy.ask(Kind::Plugin, "");
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 0"]);
}

#[test]
fn one_name_is_never_sent_twice() {
    let mut envoy = Envoy::settled(1, &["a"]);
    let mut moved = snapshot(2, &[]);
    let mut cluster = cluster("a");
    cluster.hosts[0].region = "eu-west-1".to_owned();
    moved.clusters = BTreeSet::from([cluster]);
    envoy.session.retarget(Arc::new(moved));
    assert_eq!(envoy.receive(), ["cds 2 a"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["ecds 2"]);
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
}

#[test]
fn reasons_are_one_line_of_limited_length() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(2, &["a"]);
    envoy.nack(Kind::Plugin, &format!("line\nbreak {}", "é".repeat(1000)));
    let reason = envoy.session.progress().plugin.rejected.unwrap().reason;
    assert!(reason.starts_with("line break é"), "{reason}");
    assert!(reason.len() <= MAX_REASON_LEN, "{}", reason.len());
}

#[test]
fn an_envoy_that_starts_waits_for_the_module_and_then_gets_its_configuration_confirmed() {
    let mut envoy = Envoy::fetching(1, "");
    assert_eq!(envoy.offered, Some((WithoutModule::Wait, 0)));
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
    assert_eq!(envoy.session.refusals(), Some(0));
    assert_eq!(envoy.retry(), ["ecds 1"]);
    assert_eq!(envoy.offered, Some((WithoutModule::Refuse, 0)));
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
    assert_eq!(envoy.session.refusals(), None);
    assert_eq!(envoy.publish(2, &["a"]), ["ecds 2"]);
    assert_eq!(envoy.offered, Some((WithoutModule::Refuse, 0)));
}

#[test]
fn an_edit_confirms_as_well() {
    let mut envoy = Envoy::fetching(1, "");
    envoy.ack(Kind::Plugin);
    assert_eq!(envoy.publish(2, &["a"]), ["ecds 2"]);
    assert_eq!(envoy.offered, Some((WithoutModule::Refuse, 0)));
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
    assert_eq!(envoy.retry(), NOTHING);
}

#[test]
fn an_envoy_that_runs_refuses_until_it_has_the_module() {
    let mut envoy = Envoy::fetching(2, "1");
    assert_eq!(envoy.offered, Some((WithoutModule::Refuse, 0)));
    for refusals in 1..=3 {
        assert_eq!(envoy.nack(Kind::Plugin, "no module"), NOTHING);
        assert_eq!(envoy.session.refusals(), Some(refusals));
        let plugin = envoy.session.progress().plugin;
        assert_eq!((plugin.active, plugin.rejected), (Some(1), None));
        assert_eq!(envoy.retry(), ["ecds 2"]);
        assert_eq!(envoy.retry(), NOTHING, "it is under way");
        assert_eq!(envoy.offered, Some((WithoutModule::Refuse, refusals)));
    }
    assert_eq!(envoy.ack(Kind::Plugin), NOTHING);
    assert_eq!(envoy.session.refusals(), None);
    assert_eq!(envoy.retry(), NOTHING);
    assert_eq!(envoy.session.progress().plugin.active, Some(2));
}

#[test]
fn refusals_that_do_not_end_are_shown_and_a_new_revision_starts_afresh() {
    let mut envoy = Envoy::fetching(2, "1");
    for _ in 0..4 {
        envoy.nack(Kind::Plugin, "broken");
        envoy.retry();
    }
    let rejected = envoy.session.progress().plugin.rejected;
    assert_eq!(rejected.unwrap().revision, 2);
    envoy.nack(Kind::Plugin, "broken");
    assert_eq!(envoy.publish(3, &["a"]), ["ecds 3"]);
    envoy.nack(Kind::Plugin, "no module");
    assert_eq!(envoy.session.refusals(), Some(1));
    assert_eq!(envoy.session.progress().plugin.rejected, None);
}

#[test]
fn a_module_that_envoy_has_already_is_no_reason_to_send_anything_again() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(2, &["a"]);
    envoy.nack(Kind::Plugin, "broken");
    assert_eq!(envoy.session.refusals(), None);
    assert_eq!(envoy.offered, Some((WithoutModule::Wait, 0)));
}
