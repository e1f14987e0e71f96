//! Asks the config-service what a caller has used, for the one request that wants to know.

use std::cell::Cell;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::BufferType;

use super::host;
use crate::config::UsageReports;
use crate::usage::{Figures, SERVICE, grpc_service};

/// How long a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Most questions that are open in a worker at once. Chats do not need the config-service, and these must not occupy it.
const MAX_OPEN: u32 = 64;

/// Most questions of a VM's life whose client left first. The SDK forgets a call only when it is answered, and Envoy does
/// not answer to streams that are gone; a call takes some 20 bytes.
const MAX_LEFT: u32 = 100_000;

thread_local! {
    static OPEN: Cell<u32> = const { Cell::new(0) };
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

/// A question that is open.
pub(super) struct Question {
    is_answered: bool,
}

impl Question {
    /// Asks for a caller's figures on behalf of the stream whose callback runs, and which gets the answer; `None` if that
    /// is not possible.
    pub(super) fn ask(reports: &UsageReports, caller: &str) -> Option<Self> {
        if OPEN.get() >= MAX_OPEN || LEFT.get() >= MAX_LEFT {
            return None;
        }
        let service = grpc_service(&reports.cluster);
        let message = Figures::of(caller);
        let (method, metadata) = (Figures::METHOD, Vec::new());
        let sent = hostcalls::dispatch_grpc_call(
            &service,
            SERVICE,
            method,
            metadata,
            Some(&message),
            TIMEOUT,
        );
        sent.ok()?;
        OPEN.set(OPEN.get() + 1);
        Some(Self { is_answered: false })
    }

    /// Takes the answer: the message, or nothing if the call failed.
    pub(super) fn answered(mut self, status: u32, size: usize) -> Option<Vec<u8>> {
        self.is_answered = true;
        (status == 0).then(|| host::read(BufferType::GrpcReceiveBuffer, size))
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        OPEN.set(OPEN.get().saturating_sub(1));
        if !self.is_answered {
            LEFT.set(LEFT.get().saturating_add(1));
        }
    }
}
