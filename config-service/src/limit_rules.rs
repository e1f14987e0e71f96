//! The rules of a fleet's own rate limit service, `envoyproxy/ratelimit`.
//!
//! That service has to know each value of a limit before the first question with it, so a [`LimitRules`] writes a file of
//! rules before the plugin configuration that uses them is published, and keeps what was used before until no Envoy can
//! use it any more. The service reads the file whenever another one takes its place.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

pub use document::{Kind, LimitValue};

/// How long a value is kept that nobody uses any more: an Envoy that is not connected now may still use it.
const KEPT: Duration = Duration::from_secs(3_600);

/// How long the rate limit service takes to read a new file, and more: it was in effect within 40 ms.
const SETTLING: Duration = Duration::from_millis(250);

/// A file of rules. Clones share one state.
#[derive(Clone, Debug)]
pub struct LimitRules {
    file: PathBuf,
    /// Whether limits are only counted.
    is_shadow: bool,
    state: Arc<Mutex<State>>,
}

/// What the file says, and what it has to say.
#[derive(Debug, Default)]
struct State {
    values: BTreeMap<LimitValue, Use>,
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

impl LimitRules {
    /// Takes over a file of an earlier process, or writes one: there is a default rule of each kind from the start.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written, or is something else.
    pub async fn open(file: PathBuf, is_shadow: bool) -> Result<Self, RulesError> {
        let fail = |source| RulesError::Io {
            file: file.clone(),
            source,
        };
        let written = match tokio::fs::read_to_string(&file).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(fail(error)),
        };
        let earlier = if written.is_empty() {
            BTreeSet::new()
        } else {
            document::values(&written).ok_or_else(|| RulesError::Foreign(file.clone()))?
        };
        let unused = Use::Until {
            revision: 0,
            at: Instant::now(),
        };
        let mut state = State {
            values: earlier.into_iter().map(|value| (value, unused)).collect(),
            written,
        };
        state.write(&file, is_shadow).await.map_err(fail)?;
        Ok(Self {
            file,
            is_shadow,
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// Makes sure that there is a rule for each of these values, which a revision that is about to be published uses in
    /// place of all others.
    pub(crate) async fn cover(&self, used: &BTreeSet<LimitValue>, revision: u64) {
        let mut state = self.state.lock().await;
        let is_new = used.iter().any(|value| !state.values.contains_key(value));
        state.note(used, revision, Instant::now());
        match state.write(&self.file, self.is_shadow).await {
            Ok(()) if is_new => tokio::time::sleep(SETTLING).await,
            Ok(()) => {}
            Err(error) => self.complain(&error),
        }
    }

    /// Forgets the values that nobody uses any more. `oldest` is the earliest revision that a connected Envoy runs.
    pub(crate) async fn tidy(&self, oldest: Option<u64>) {
        let mut state = self.state.lock().await;
        state.forget(oldest, Instant::now());
        if let Err(error) = state.write(&self.file, self.is_shadow).await {
            self.complain(&error);
        }
    }

    fn complain(&self, error: &io::Error) {
        tracing::error!(
            file = %self.file.display(),
            %error,
            "the rules of the rate limit service cannot be written; limits without a rule get the default rule"
        );
    }
}

impl State {
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
        let text = document::write(self.values.keys(), is_shadow);
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
    async fn a_file_is_replaced_whole_and_survives_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("limits.yaml");
        let rules = LimitRules::open(file.clone(), false).await.unwrap();
        let first = std::fs::read_to_string(&file).unwrap();
        assert_eq!(document::values(&first).unwrap(), BTreeSet::new());
        rules.cover(&set(&[7]), 1).await;
        rules.cover(&set(&[]), 2).await;
        drop(rules);
        let again = LimitRules::open(file.clone(), false).await.unwrap();
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
            let error = LimitRules::open(file.clone(), false).await.unwrap_err();
            assert!(matches!(error, RulesError::Foreign(_)), "{error}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
        }
        let nowhere = folder.path().join("none/limits.yaml");
        let error = LimitRules::open(nowhere, false).await.unwrap_err();
        assert!(matches!(error, RulesError::Io { .. }), "{error}");
    }
}
