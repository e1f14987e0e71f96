//! Running stacks that tests use one after the other.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::json;

use crate::{Builder, Reply, Stack};

/// Stacks of one kind, as many as one program runs tests at the same time.
///
/// For tests whose edits would collide on a shared stack, such as channels with the same names, and which do
/// not mind what happened before them: metrics and logs continue. No test has to wait for an Envoy to start.
#[derive(Debug)]
pub struct Leases {
    idle: Mutex<Vec<Stack>>,
    build: fn() -> Builder,
}

/// A stack for one test's exclusive use, without channels when it gets it.
#[derive(Debug)]
pub struct Lease {
    /// Present until the lease ends.
    stack: Option<Stack>,
    leases: &'static Leases,
}

impl Leases {
    /// Stacks as described by `build`.
    pub const fn new(build: fn() -> Builder) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            build,
        }
    }

    /// A stack that no other test uses, running.
    pub async fn get(&'static self) -> Lease {
        let idle = self.idle().pop();
        let stack = match idle {
            Some(stack) => {
                clear(&stack).await;
                stack
            }
            None => (self.build)().start().await,
        };
        Lease {
            stack: Some(stack),
            leases: self,
        }
    }

    fn idle(&self) -> impl std::ops::DerefMut<Target = Vec<Stack>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes all channels and waits until every worker serves none.
async fn clear(stack: &Stack) {
    stack.config.delete_all().await;
    let is_empty = |list: &Reply| list.json()["data"] == json!([]);
    stack.wait_for_workers("/v1/models", is_empty).await;
}

impl Deref for Lease {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.stack.as_ref().expect("a lease that has not ended")
    }
}

impl Drop for Lease {
    /// A stack on which a test failed is not reused; it prints its logs.
    fn drop(&mut self) {
        if !thread::panicking() {
            self.leases.idle().extend(self.stack.take());
        }
    }
}
