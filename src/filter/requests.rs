//! How an attempt on a cluster finds its request.
//!
//! Both stages of a request run in one VM (see [`crate::config::Generation`]), so they share its memory.
//! Envoy carries the number under which a request is registered from one to the other, as a property of the
//! stream, which no client can set.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use proxy_wasm::hostcalls;

use super::environment;
use crate::failover::{ChannelPicker, RetryableRequest};

/// Property of a stream that names the VM and the number of its request.
const PROPERTY: &str = "bedrock.retry";

thread_local! {
    /// Tells this VM from every other one. Numbers alone do not: two VMs that serve one worker, as after
    /// an upgrade, both count from 0, and an attempt must not find another client's request.
    static VM: Option<[u8; 8]> = environment::random();
    static REQUESTS: RefCell<BTreeMap<u64, Weak<RetryableRequest>>> =
        const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static PICKER: Rc<ChannelPicker> = Rc::default();
}

/// A request that can be found until this is dropped.
pub(super) struct Registered(u64);

/// What tells this VM from every other one, as far as Envoy has random bytes.
pub(super) fn vm() -> Option<[u8; 8]> {
    VM.with(|vm| *vm)
}

/// What all requests of this VM share.
pub(super) fn picker() -> Rc<ChannelPicker> {
    PICKER.with(Rc::clone)
}

/// Registers a request and tells the stream its number; `None` when Envoy does not take it.
pub(super) fn register(request: &Rc<RetryableRequest>) -> Option<Registered> {
    let number = NEXT.replace(NEXT.get().wrapping_add(1));
    REQUESTS.with_borrow_mut(|requests| requests.insert(number, Rc::downgrade(request)));
    let registered = Registered(number);
    let property = [VM.with(|vm| *vm)?, number.to_le_bytes()].concat();
    let taken = hostcalls::set_property(vec![PROPERTY], Some(&property));
    taken.ok().map(|()| registered)
}

/// The request of the stream that is being served; `None` where no listener stage of this VM registered one.
pub(super) fn find() -> Option<Rc<RetryableRequest>> {
    let property = hostcalls::get_property(vec![PROPERTY]).ok()??;
    let (vm, number) = property.split_first_chunk()?;
    if VM.with(|own| *own)? != *vm {
        return None;
    }
    let number = u64::from_le_bytes(number.try_into().ok()?);
    REQUESTS.with_borrow(|requests| requests.get(&number)?.upgrade())
}

/// Name of the channel whose endpoint Envoy chose.
pub(super) fn endpoint_channel() -> Option<String> {
    let path = vec![
        "xds",
        "upstream_host_metadata",
        "filter_metadata",
        "bedrock",
        "channel",
    ];
    let name = hostcalls::get_property(path).ok()??;
    String::from_utf8(name).ok()
}

impl Drop for Registered {
    fn drop(&mut self) {
        REQUESTS.with_borrow_mut(|requests| requests.remove(&self.0));
    }
}
