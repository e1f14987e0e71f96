//! The rate limit services that get their rules from here, and how far each of them is.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

/// How long an edit waits for a service that does not answer. It takes 10,000 rules in four seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// All that are connected. Clones share one state.
#[derive(Clone, Debug, Default)]
pub(super) struct Engines {
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    progress: BTreeMap<u64, Progress>,
    next: u64,
}

#[derive(Debug, Default)]
struct Progress {
    /// The latest version of the rules that it has answered.
    answered: u64,
    /// Whether it has let its time pass; nobody waits for it again until it is up to date.
    is_late: bool,
}

/// A service that is connected, until this is dropped.
#[derive(Debug)]
pub struct Engine {
    engines: Engines,
    number: u64,
}

impl Engines {
    pub(super) fn connect(&self) -> Engine {
        let mut number = 0;
        self.state.send_modify(|state| {
            number = state.next;
            state.next += 1;
            state.progress.insert(number, Progress::default());
        });
        Engine {
            engines: self.clone(),
            number,
        }
    }

    /// Waits until all have answered a version, for a while.
    pub(super) async fn wait(&self, version: u64, patience: Duration) {
        let is_ready = |own: &Progress| own.is_late || own.answered >= version;
        let mut state = self.state.subscribe();
        let all = state.wait_for(|state| state.progress.values().all(is_ready));
        if tokio::time::timeout(patience, all).await.is_ok() {
            return;
        }
        self.state.send_modify(|state| {
            for own in state.progress.values_mut().filter(|own| !is_ready(own)) {
                own.is_late = true;
            }
        });
        tracing::warn!(
            "a rate limit service has not taken new rules within {} seconds, and is not waited for until it has; limits \
             that are new to it get the default rule there",
            patience.as_secs()
        );
    }
}

impl Engine {
    /// Notes that it has taken a version of the rules, or refused it.
    pub fn answered(&self, version: u64) {
        self.engines.state.send_modify(|state| {
            if let Some(own) = state.progress.get_mut(&self.number) {
                own.answered = own.answered.max(version);
                own.is_late = false;
            }
        });
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.engines.state.send_modify(|state| {
            state.progress.remove(&self.number);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    /// Whether a future has something to wait for.
    async fn waits(future: impl Future<Output = ()>) -> bool {
        let mut future = pin!(future);
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn an_edit_waits_for_each_service_that_is_connected() {
        let engines = Engines::default();
        assert!(!waits(engines.wait(1, PATIENCE)).await, "nobody is there");
        let (first, second) = (engines.connect(), engines.connect());
        assert!(waits(engines.wait(1, PATIENCE)).await);
        first.answered(2);
        assert!(
            waits(engines.wait(2, PATIENCE)).await,
            "the other one has not answered"
        );
        second.answered(1);
        assert!(
            waits(engines.wait(2, PATIENCE)).await,
            "that was an earlier version"
        );
        assert!(!waits(engines.wait(1, PATIENCE)).await);
        drop(second);
        assert!(!waits(engines.wait(2, PATIENCE)).await, "it has left");
        assert!(waits(engines.wait(3, PATIENCE)).await);
    }

    #[tokio::test]
    async fn a_service_that_does_not_answer_is_waited_for_once() {
        let engines = Engines::default();
        let engine = engines.connect();
        engines.wait(1, Duration::ZERO).await;
        assert!(!waits(engines.wait(2, PATIENCE)).await);
        // It is back.
        engine.answered(2);
        assert!(waits(engines.wait(3, PATIENCE)).await);
    }
}
