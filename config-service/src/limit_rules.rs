//! The rules of a fleet's own rate limit service, `envoyproxy/ratelimit`.
//!
//! That service has to know each value of a limit before the first question with it, so a [`LimitRules`] gives it a rule
//! before the plugin configuration that uses it is published, and keeps what was used before until no Envoy can use it any
//! more. The service gets its rules on the xDS port ([`crate::xds`]), or reads a file whenever another one takes its place.

mod document;
mod engines;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, watch};

pub use document::{CALLER, DOMAIN, Kind, LimitValue, Rule};
pub use engines::Engine;
use engines::{Engines, PATIENCE};

/// How long a value is kept that nobody uses any more: an Envoy that is not connected now may still use it.
const KEPT: Duration = Duration::from_secs(3_600);

/// How long the rate limit service takes to read a new file, and more: it was in effect within 40 ms.
const SETTLING: Duration = Duration::from_millis(250);

/// The rules. Clones share one state.
#[derive(Clone, Debug)]
pub struct LimitRules {
    file: Option<PathBuf>,
    /// Whether limits are only counted.
    is_shadow: bool,
    state: Arc<Mutex<State>>,
    published: watch::Sender<Rules>,
    engines: Engines,
}

/// All rules at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Rises with each change.
    pub version: u64,
    /// The values that have one of their own.
    pub values: BTreeSet<LimitValue>,
    /// Whether limits are only counted.
    pub is_shadow: bool,
}

impl Rules {
    /// Each of them: those for values, and those for all others. There are always some.
    pub fn all(&self) -> impl Iterator<Item = Rule> {
        document::rules(&self.values)
    }
}

/// What rules there are, and what they have to be.
#[derive(Debug, Default)]
struct State {
    values: BTreeMap<LimitValue, Use>,
    /// What the file says.
    written: String,
}

/// Whether a value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// By what is published.
    Now,
    /// No more, since a revision.
    Until { revision: u64, at: Instant },
}

/// Why a file cannot be used for rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It cannot be read or written.
    #[error("cannot keep the rules of the rate limit service in {file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else wrote it.
    #[error("{file} has no rules of this service in it; name another file, or remove it", file = .0.display())]
    Foreign(PathBuf),
}

impl Default for LimitRules {
    /// Rules without a file.
    fn default() -> Self {
        Self::of(State::default(), None, false)
    }
}

impl LimitRules {
    /// Takes over a file of an earlier process, or writes one, if there is to be one.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written, or is something else.
    pub async fn open(file: Option<PathBuf>, is_shadow: bool) -> Result<Self, RulesError> {
        let mut state = State::default();
        if let Some(file) = &file {
            let fail = |source| RulesError::Io {
                file: file.clone(),
                source,
            };
            let written = match tokio::fs::read_to_string(file).await {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(fail(error)),
            };
            if !written.is_empty() {
                let earlier = document::values(&written);
                state.remember(earlier.ok_or_else(|| RulesError::Foreign(file.clone()))?);
            }
            state.written = written;
            state.write(file, is_shadow).await.map_err(fail)?;
        }
        Ok(Self::of(state, file, is_shadow))
    }

    fn of(state: State, file: Option<PathBuf>, is_shadow: bool) -> Self {
        let rules = Rules {
            version: 1,
            values: state.values.keys().copied().collect(),
            is_shadow,
        };
        Self {
            file,
            is_shadow,
            state: Arc::new(Mutex::new(state)),
            published: watch::Sender::new(rules),
            engines: Engines::default(),
        }
    }

    /// Keeps the values of an earlier process.
    pub(crate) async fn remember(&self, values: BTreeSet<LimitValue>) {
        let mut state = self.state.lock().await;
        state.remember(values);
        self.publish(&mut state).await;
    }

    /// Makes sure that there is a rule for each of these values, which a revision that is about to be published uses in
    /// place of all others; all values with a rule, if they are others than before.
    ///
    /// Returns once the services that are connected have the rules, or have had their time.
    pub(crate) async fn cover(
        &self,
        used: &BTreeSet<LimitValue>,
        revision: u64,
    ) -> Option<BTreeSet<LimitValue>> {
        let mut state = self.state.lock().await;
        let is_new = used.iter().any(|value| !state.values.contains_key(value));
        state.note(used, revision, Instant::now());
        let values = self.publish(&mut state).await;
        drop(state);
        if is_new {
            let version = self.published.borrow().version;
            let read = async {
                if self.file.is_some() {
                    tokio::time::sleep(SETTLING).await;
                }
            };
            tokio::join!(read, self.engines.wait(version, PATIENCE));
        }
        values
    }

    /// Forgets the values that nobody uses any more; those that are left, if there were more. `oldest` is the earliest
    /// revision that a connected Envoy runs.
    pub(crate) async fn tidy(&self, oldest: Option<u64>) -> Option<BTreeSet<LimitValue>> {
        let mut state = self.state.lock().await;
        state.forget(oldest, Instant::now());
        self.publish(&mut state).await
    }

    /// The rules, now and later.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Rules> {
        self.published.subscribe()
    }

    /// A service that gets them, as long as it is connected.
    #[must_use]
    pub fn connect(&self) -> Engine {
        self.engines.connect()
    }

    /// Passes on what has changed.
    async fn publish(&self, state: &mut State) -> Option<BTreeSet<LimitValue>> {
        if let Some(file) = &self.file
            && let Err(error) = state.write(file, self.is_shadow).await
        {
            tracing::error!(
                file = %file.display(),
                %error,
                "the rules of the rate limit service cannot be written; limits without a rule get the default rule"
            );
        }
        let values: BTreeSet<_> = state.values.keys().copied().collect();
        let is_new = self.published.send_if_modified(|rules| {
            let is_new = rules.values != values;
            if is_new {
                rules.version += 1;
                rules.values.clone_from(&values);
            }
            is_new
        });
        is_new.then_some(values)
    }
}

impl State {
    /// Values of an earlier process, which an Envoy may still use.
    fn remember(&mut self, values: BTreeSet<LimitValue>) {
        let unused = Use::Until {
            revision: 0,
            at: Instant::now(),
        };
        for value in values {
            self.values.entry(value).or_insert(unused);
        }
    }

    fn note(&mut self, used: &BTreeSet<LimitValue>, revision: u64, now: Instant) {
        for value in used {
            self.values.insert(*value, Use::Now);
        }
        for (value, state) in &mut self.values {
            if *state == Use::Now && !used.contains(value) {
                *state = Use::Until { revision, at: now };
            }
        }
    }

    fn forget(&mut self, oldest: Option<u64>, now: Instant) {
        self.values.retain(|_, state| match *state {
            Use::Now => true,
            Use::Until { revision, at } => {
                let may_return = now.saturating_duration_since(at) < KEPT;
                may_return || oldest.is_some_and(|oldest| oldest < revision)
            }
        });
    }

    /// Writes what is not in the file yet.
    async fn write(&mut self, file: &Path, is_shadow: bool) -> io::Result<()> {
        let values = self.values.keys().copied().collect();
        let text = document::write(&values, is_shadow);
        if text == self.written {
            return Ok(());
        }
        let (target, content) = (file.to_owned(), text.clone());
        let done = tokio::task::spawn_blocking(move || replace(&target, content.as_bytes()));
        done.await.map_err(io::Error::other)??;
        self.written = text;
        Ok(())
    }
}

/// Puts a file in the place of another, so that nobody reads half of it. The service passes over names with a dot before
/// them.
fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.new"));
    let mut written = std::fs::File::create(&beside)?;
    io::Write::write_all(&mut written, content)?;
    written.sync_all()?;
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    fn rpm(value: u32) -> LimitValue {
        LimitValue {
            kind: Kind::Requests,
            value,
        }
    }

    fn set(values: &[u32]) -> BTreeSet<LimitValue> {
        values.iter().copied().map(rpm).collect()
    }

    fn known(state: &State) -> Vec<u32> {
        state.values.keys().map(|own| own.value).collect()
    }

    #[test]
    fn a_value_is_kept_until_no_envoy_can_use_it() {
        let start = Instant::now();
        let later = start + KEPT;
        let mut state = State::default();
        state.note(&set(&[1, 2]), 5, start);
        state.note(&set(&[2, 3]), 6, start);
        assert_eq!(known(&state), [1, 2, 3]);
        state.forget(Some(6), start + KEPT / 2);
        assert_eq!(known(&state), [1, 2, 3], "an Envoy may come back");
        state.forget(Some(5), later);
        assert_eq!(known(&state), [1, 2, 3], "an Envoy runs revision 5");
        state.note(&set(&[1]), 7, later);
        state.forget(Some(6), later + KEPT);
        assert_eq!(known(&state), [1, 2, 3], "an Envoy runs revision 6");
        state.forget(None, later + KEPT);
        assert_eq!(known(&state), [1], "it is used again");
    }

    #[tokio::test]
    async fn a_new_value_is_covered_once_each_service_has_its_rule() {
        let rules = LimitRules::default();
        let engine = rules.connect();
        let used = set(&[7]);
        let mut covered = Box::pin(rules.cover(&used, 1));
        let first = poll_fn(|context| Poll::Ready(covered.as_mut().poll(context))).await;
        assert!(first.is_pending());
        let told = rules.subscribe().borrow().clone();
        assert_eq!(told.values, used);
        engine.answered(told.version);
        assert_eq!(covered.await, Some(used));
        // The service has not answered anything since, and need not.
        assert_eq!(rules.cover(&set(&[]), 2).await, None);
    }

    #[tokio::test]
    async fn a_file_is_replaced_whole_and_survives_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("limits.yaml");
        let rules = LimitRules::open(Some(file.clone()), false).await.unwrap();
        let first = std::fs::read_to_string(&file).unwrap();
        assert_eq!(document::values(&first).unwrap(), BTreeSet::new());
        rules.cover(&set(&[7]), 1).await;
        rules.cover(&set(&[]), 2).await;
        drop(rules);
        let again = LimitRules::open(Some(file.clone()), false).await.unwrap();
        again.cover(&set(&[9]), 3).await;
        again.tidy(None).await;
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(document::values(&text).unwrap(), set(&[7, 9]));
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[tokio::test]
    async fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("limits.yaml");
        for foreign in [
            "domain: bedrock\n",
            "{\"domain\":\"other\",\"descriptors\":[]}",
        ] {
            std::fs::write(&file, foreign).unwrap();
            let error = LimitRules::open(Some(file.clone()), false)
                .await
                .unwrap_err();
            assert!(matches!(error, RulesError::Foreign(_)), "{error}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
        }
        let nowhere = folder.path().join("none/limits.yaml");
        let error = LimitRules::open(Some(nowhere), false).await.unwrap_err();
        assert!(matches!(error, RulesError::Io { .. }), "{error}");
    }
}
