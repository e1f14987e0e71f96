//! How an attempt on a cluster finds the request that it is an attempt of.
//!
//! Both stages of a request run in one VM (see [`crate::config::Generation`]), so they share its memory.
//! Envoy carries the number under which a relay is filed from one to the other, as a property of the
//! stream, which no client can set.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use proxy_wasm::hostcalls;

use super::environment;
use crate::relay::{Dispatcher, Relay};

/// Property of a stream that names the VM and the number of its relay.
const PROPERTY: &str = "bedrock.relay";

thread_local! {
    /// Tells this VM from every other one. Numbers alone do not: two VMs that serve one worker, as after
    /// an upgrade, both count from 0, and a request must not meet another client's.
    static VM: Option<[u8; 8]> = environment::random();
    static FILED: RefCell<BTreeMap<u64, Weak<Relay>>> = const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static DISPATCHER: Rc<Dispatcher> = Rc::default();
}

/// A relay that can be found; dropping it takes it off the file.
pub(super) struct Filed(u64);

/// What all requests of this VM share.
pub(super) fn dispatcher() -> Rc<Dispatcher> {
    DISPATCHER.with(Rc::clone)
}

/// Files a relay and tells the stream its number; `None` when Envoy does not take it.
pub(super) fn file(relay: &Rc<Relay>) -> Option<Filed> {
    let number = NEXT.replace(NEXT.get().wrapping_add(1));
    FILED.with_borrow_mut(|filed| filed.insert(number, Rc::downgrade(relay)));
    let filed = Filed(number);
    let property = [VM.with(|vm| *vm)?, number.to_le_bytes()].concat();
    let taken = hostcalls::set_property(vec![PROPERTY], Some(&property));
    taken.ok().map(|()| filed)
}

/// The relay of the stream that is being served; `None` where no listener stage of this VM made one.
pub(super) fn find() -> Option<Rc<Relay>> {
    let property = hostcalls::get_property(vec![PROPERTY]).ok()??;
    let (vm, number) = property.split_first_chunk()?;
    if VM.with(|own| *own)? != *vm {
        return None;
    }
    let number = u64::from_le_bytes(number.try_into().ok()?);
    FILED.with_borrow(|filed| filed.get(&number)?.upgrade())
}

/// Name of the channel of the endpoint that Envoy chose.
pub(super) fn channel() -> Option<String> {
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

impl Drop for Filed {
    fn drop(&mut self) {
        FILED.with_borrow_mut(|filed| filed.remove(&self.0));
    }
}
