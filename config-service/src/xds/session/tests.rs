mod convergence;
mod elsewhere;
mod order;
mod retries;
mod simulated;

use super::*;
use crate::cluster::{Host, Transport};

/// The module of the tests.
const GENERATION: Generation = Generation::new(7);

const DRAIN_TIME: Duration = Duration::from_secs(900);

fn terms(delivery: ModuleDelivery) -> Terms {
    Terms {
        generation: GENERATION,
        delivery,
        stage_digest: "5e6f".to_owned(),
        drain_time: DRAIN_TIME,
    }
}

fn snapshot(revision: u64, hosts: &[&str]) -> Snapshot {
    let clusters = hosts.iter().map(|host| cluster(host)).collect();
    Snapshot::with_clusters(revision, clusters)
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
        stage: None,
        signing: None,
    }
}

/// A stream from the Envoy's point of view.
struct Envoy {
    session: Session,
    now: Instant,
    nonces: [String; 2],
    plugin: bool,
    stages: BTreeSet<Generation>,
    /// The mode in which the latest filter was offered.
    offered: Option<(WithoutModule, u32)>,
}

const NOTHING: [&str; 0] = [];

fn short(generation: Generation) -> String {
    generation.to_string().trim_start_matches('0').to_owned()
}

impl Envoy {
    fn with(terms: Terms, only: Option<Kind>, target: Snapshot) -> Self {
        Self {
            session: Session::new(terms, only, Arc::new(target), 100),
            now: Instant::now(),
            nonces: Default::default(),
            plugin: true,
            stages: BTreeSet::new(),
            offered: None,
        }
    }

    /// An Envoy that has the module, on a stream for everything.
    fn new(revision: u64, hosts: &[&str]) -> Self {
        let terms = terms(ModuleDelivery::Local);
        Self::with(terms, None, snapshot(revision, hosts))
    }

    /// An Envoy that fetches the module and asks only for the plugin configuration.
    fn fetching_alone(revision: u64, version: &str) -> Self {
        let terms = terms(ModuleDelivery::Fetched);
        let mut envoy = Self::with(terms, Some(Kind::Filters), snapshot(revision, &["a"]));
        assert_eq!(envoy.filters(version), [format!("plugin {revision}")]);
        envoy
    }

    /// An Envoy that asked for everything and acknowledged everything.
    fn settled(revision: u64, hosts: &[&str]) -> Self {
        let mut envoy = Self::new(revision, hosts);
        envoy.clusters("");
        envoy.ack(Kind::Clusters);
        envoy.stages.insert(GENERATION);
        envoy.filters("");
        envoy.ack(Kind::Filters);
        envoy.ack(Kind::Filters);
        assert_eq!(envoy.session.progress().waiting_for, None);
        envoy
    }

    fn send(&mut self, kind: Kind, version: &str, error: Option<&str>) -> Vec<String> {
        let request = Request {
            version: version.to_owned(),
            nonce: self.nonces[kind as usize].clone(),
            wanted: match kind {
                Kind::Clusters => Wanted::Clusters,
                Kind::Filters => Wanted::Filters {
                    plugin: self.plugin,
                    stages: self.stages.clone(),
                },
            },
            error: error.map(str::to_owned),
        };
        self.session.request(&request, self.now);
        self.receive()
    }

    fn clusters(&mut self, version: &str) -> Vec<String> {
        self.send(Kind::Clusters, version, None)
    }

    fn filters(&mut self, version: &str) -> Vec<String> {
        self.send(Kind::Filters, version, None)
    }

    fn ack(&mut self, kind: Kind) -> Vec<String> {
        self.send(kind, "", None)
    }

    fn nack(&mut self, kind: Kind, reason: &str) -> Vec<String> {
        self.send(kind, "", Some(reason))
    }

    fn publish(&mut self, snapshot: Snapshot) -> Vec<String> {
        self.session.retarget(Arc::new(snapshot));
        self.receive()
    }

    /// What is sent when the next resource is due.
    fn wait(&mut self) -> Vec<String> {
        let wakes_at = self.session.wakes_at();
        self.now = self.now.max(wakes_at.expect("something is due later"));
        self.receive()
    }

    /// What is sent now, as `clusters REVISION HOSTS`, `stage NUMBER`, `earlier NUMBER` and `plugin REVISION`.
    fn receive(&mut self) -> Vec<String> {
        let responses = self.session.advance(self.now);
        assert_eq!(self.session.advance(self.now), [], "nothing is sent twice");
        responses.into_iter().map(|it| self.show(it)).collect()
    }

    fn show(&mut self, response: Response) -> String {
        match response.body {
            Body::Clusters(clusters) => {
                self.nonces[Kind::Clusters as usize] = response.nonce;
                let hosts: Vec<_> = clusters
                    .iter()
                    .filter_map(|it| Some(it.hosts.first()?.host.as_str()))
                    .collect();
                let revision = response.version.split_once('-').expect("a digest").0;
                format!("clusters {revision} {}", hosts.join(","))
            }
            Body::Filter(filter) => {
                self.nonces[Kind::Filters as usize] = response.nonce;
                self.offered = Some((filter.without_module, filter.variant));
                match filter.place {
                    Place::Listener(snapshot) => format!("plugin {}", snapshot.revision),
                    Place::Alone(snapshot) => format!("alone {}", snapshot.revision),
                    Place::Pools(generation) => format!("stage {}", short(generation)),
                    Place::Earlier(generation) => format!("earlier {}", short(generation)),
                }
            }
        }
    }

    fn plugin(&self) -> crate::fleet::Delivery {
        self.session.progress().plugin
    }
}
