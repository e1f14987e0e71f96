//! What an outbox needs of its surroundings.

/// A queue, a small memory and a way out, which all workers of an Envoy share. Envoy keeps them while its modules and
/// their configurations come and go.
pub trait Mailbox {
    /// Puts a record into the queue; `false` if that fails.
    fn put(&mut self, record: &[u8]) -> bool;

    /// Takes the oldest record from the queue.
    fn take(&mut self) -> Option<Vec<u8>>;

    /// The value under a key, and its version; empty if there is none.
    fn load(&mut self, key: &str) -> (Vec<u8>, Option<u32>);

    /// Replaces the value under a key, unless another worker has done so since it had this version.
    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Stored;

    /// Sends a report; its number, under which the answer comes, or `None` if it cannot be sent.
    fn send(&mut self, report: &[u8]) -> Option<u32>;
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is there.
    Kept,
    /// Another worker was faster.
    Overtaken,
}
