//! The streamed answers that may need a sign of life: what a tick of a root context reaches.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use proxy_wasm::types::BufferType;

use super::host;
use super::message::{ALL, Message};
use crate::exchange::{Exchange, LetGo};

/// An exchange that both its stream's callbacks and ticks reach.
pub(super) type Shared = Rc<RefCell<Exchange>>;

thread_local! {
    static STREAMS: RefCell<BTreeMap<u32, Weak<RefCell<Exchange>>>> =
        const { RefCell::new(BTreeMap::new()) };
    /// Number of the newest root context. Those of earlier configurations tick as long as they have a stream.
    static NEWEST: Cell<u32> = const { Cell::new(0) };
}

/// A stream that ticks reach until this is dropped.
pub(super) struct Watched(u32);

/// An exchange that can be given ticks.
pub(super) fn share(exchange: Exchange) -> Shared {
    Rc::new(RefCell::new(exchange))
}

/// Has ticks reach the stream of this number.
pub(super) fn watch(context: u32, exchange: &Shared) -> Watched {
    STREAMS.with_borrow_mut(|streams| streams.insert(context, Rc::downgrade(exchange)));
    Watched(context)
}

impl Drop for Watched {
    fn drop(&mut self) {
        STREAMS.with_borrow_mut(|streams| streams.remove(&self.0));
    }
}

/// The number of a new root context, whose ticks are the ones that count from now on.
pub(super) fn take_over() -> u32 {
    NEWEST.set(NEWEST.get().wrapping_add(1));
    NEWEST.get()
}

/// Whether it is the number of the root context whose ticks count.
pub(super) fn is_newest(root: u32) -> bool {
    root == NEWEST.get()
}

/// Takes a tick of the root context that is the newest.
pub(super) fn tick() {
    // Letting go of one stream may end another, but only after this callback.
    let all: Vec<_> = STREAMS.with_borrow(|streams| {
        let there = streams.iter();
        there
            .filter_map(|(context, own)| Some((*context, own.upgrade()?)))
            .collect()
    });
    for (context, exchange) in all {
        if host::turn_to_stream(context)
            && let Ok(mut exchange) = exchange.try_borrow_mut()
        {
            let mut read = || host::read(BufferType::HttpResponseBody, ALL);
            if let Some(LetGo { edit, held }) = exchange.tick(&mut read) {
                Message::response(held).write(&edit);
                host::resume_answer();
            }
        }
    }
}
