//! The way of usage records out of Envoy: a shared queue, shared data and gRPC calls, as an [`Outbox`] wants them.

use std::cell::{Cell, RefCell};
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, Status};

use super::{host, requests};
use crate::chat::Error;
use crate::config::UsageReports;
use crate::usage::{METHOD, Mailbox, Outbox, Record, RecordId, SERVICE, Stored, grpc_service};

/// Name of the queue. Another format of records needs another name.
const QUEUE: &str = "bedrock.usage";

/// How long Envoy waits for an acknowledgement.
const TIMEOUT: Duration = Duration::from_secs(2);

thread_local! {
    static OUTBOX: RefCell<Outbox> = RefCell::new(Outbox::new(name()));
    static QUEUE_ID: Cell<Option<u32>> = const { Cell::new(None) };
    /// Records that were made.
    static MADE: Cell<u64> = const { Cell::new(0) };
    /// Whether the log says that there is no room.
    static IS_FULL: Cell<bool> = const { Cell::new(false) };
    /// Whether the log says that nobody answers.
    static IS_FAILING: Cell<bool> = const { Cell::new(false) };
}

/// What tells this worker's outbox from all others.
fn name() -> [u8; 8] {
    requests::vm().unwrap_or_else(|| {
        let since = host::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos())
            .unwrap_or_default()
            .to_le_bytes()
    })
}

/// Opens the queue. It is there already if another worker, module or configuration had it, with all that is in it.
pub(super) fn open() {
    QUEUE_ID.set(hostcalls::register_shared_queue(QUEUE).ok());
}

/// An id for a record, which no other has: workers have different names, and count. Ids of one worker follow one another.
pub(super) fn next_id() -> RecordId {
    let number = MADE.get();
    MADE.set(number.wrapping_add(1));
    let mut id = [0; 16];
    let (worker, count) = id.split_at_mut(8);
    worker.copy_from_slice(&OUTBOX.with_borrow(Outbox::name));
    count.copy_from_slice(&number.to_be_bytes());
    RecordId(id)
}

/// Takes the record of a request that has ended.
pub(super) fn add(record: &Record) {
    with(None, |outbox, envoy| {
        let is_in = outbox.add(record, envoy);
        if !is_in && !IS_FULL.replace(true) {
            log::error!(
                "the config-service takes no usage reports and there is no room for more; usage of further requests is \
                 not recorded"
            );
        }
    });
}

/// Takes a tick.
pub(super) fn tick(reports: &UsageReports) {
    with(Some(reports), |outbox, envoy| {
        outbox.tick(host::now(), envoy);
        if outbox.has_room() && IS_FULL.replace(false) {
            log::info!("there is room for usage records again");
        }
        let is_failing = outbox.is_failing();
        match (IS_FAILING.replace(is_failing), is_failing) {
            (false, true) => log::warn!(
                "the config-service does not acknowledge usage reports over the cluster {}; records wait",
                reports.cluster
            ),
            (true, false) => log::info!("the config-service acknowledges usage reports again"),
            _ => {}
        }
    });
}

/// Takes the answer to a call, or that it failed.
pub(super) fn answered(number: u32, status: u32, size: usize, reports: &UsageReports) {
    let is_answer = status == 0;
    let answer = is_answer.then(|| host::read(BufferType::GrpcReceiveBuffer, size));
    with(Some(reports), |outbox, envoy| {
        outbox.answered(number, answer.as_deref(), host::now(), envoy);
    });
}

/// Why a caller may not ask now.
pub(super) fn refusal(caller: &str) -> Option<Error> {
    let now = host::now();
    OUTBOX.with_borrow(|outbox| Some(outbox.against(caller, now)?.error(now)))
}

/// Keeps what is under way for whoever comes next.
pub(super) fn close(reports: &UsageReports) {
    with(Some(reports), |outbox, envoy| outbox.close(envoy));
}

fn with(reports: Option<&UsageReports>, act: impl FnOnce(&mut Outbox, &mut Envoy)) {
    let mut envoy = Envoy {
        queue: QUEUE_ID.get(),
        service: reports.map(|own| grpc_service(&own.cluster)),
    };
    OUTBOX.with_borrow_mut(|outbox| act(outbox, &mut envoy));
}

/// Envoy, as an outbox sees it.
struct Envoy {
    queue: Option<u32>,
    /// Where reports go, when there may be some.
    service: Option<String>,
}

impl Mailbox for Envoy {
    fn put(&mut self, record: &[u8]) -> bool {
        self.queue
            .is_some_and(|queue| hostcalls::enqueue_shared_queue(queue, Some(record)).is_ok())
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        hostcalls::dequeue_shared_queue(self.queue?).ok()?
    }

    fn load(&mut self, key: &str) -> (Vec<u8>, Option<u32>) {
        let (value, version) = hostcalls::get_shared_data(key).unwrap_or_default();
        (value.unwrap_or_default(), version)
    }

    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Stored {
        match hostcalls::set_shared_data(key, Some(value), version) {
            Err(Status::CasMismatch) => Stored::Overtaken,
            _ => Stored::Kept,
        }
    }

    fn send(&mut self, report: &[u8]) -> Option<u32> {
        let service = self.service.as_deref()?;
        let sent = hostcalls::dispatch_grpc_call(
            service,
            SERVICE,
            METHOD,
            Vec::new(),
            Some(report),
            TIMEOUT,
        );
        sent.ok()
    }
}
