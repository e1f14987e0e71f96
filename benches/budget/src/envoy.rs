//! Takes an HTTP exchange through the filter as Envoy does: on the listener and, for failover, also on
//! the cluster.
//!
//! Bodies arrive in the pieces in which Envoy's HTTP/1 codec reads them, with the end as a separate
//! empty piece, and a callback is told how much is buffered.

use anyhow::{Context as _, Result, bail, ensure};

use crate::host::Pairs;
use crate::vm::Vm;

/// How many bytes Envoy reads from a socket at once.
const READ: usize = 16 * 1024;

/// Statuses other than 5xx after which the routes in `envoy/envoy.yaml` try the next endpoint.
const RETRIABLE: [&str; 3] = ["408", "424", "429"];

/// What a client sends.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: &'static str,
    /// Path.
    pub path: &'static str,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// What an upstream answers.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Channel of the endpoint; `None` if the cluster does not run the filter.
    pub channel: Option<String>,
    /// Status.
    pub status: &'static str,
    /// Content type.
    pub content_type: &'static str,
    /// Body, in the pieces in which it arrives.
    pub pieces: Vec<Vec<u8>>,
}

/// A request as an upstream gets it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Headers.
    pub headers: Pairs,
    /// Body.
    pub body: Vec<u8>,
}

/// A complete exchange, as seen from both ends.
#[derive(Debug)]
pub struct Played {
    /// Status that the client got.
    pub status: String,
    /// Headers that the client got.
    pub headers: Pairs,
    /// Body that the client got.
    pub body: Vec<u8>,
    /// The number of pieces in which the body arrived.
    pub pieces: usize,
    /// The requests that upstreams got.
    pub calls: Vec<Call>,
}

/// What the filter does with a request.
enum Outcome {
    Call(Call),
    Reply(Pairs, Vec<u8>),
}

/// What comes out of one stage on its way to the client.
enum Event {
    Headers(Pairs),
    Piece(Vec<u8>, bool),
}

/// Plays an exchange; the upstream gives the answers in `attempts`, in turn.
///
/// # Errors
///
/// When the module traps, holds something back for ever, or calls upstreams more often than there are
/// attempts.
pub fn play(vm: &mut Vm, request: &Request, attempts: &[Attempt]) -> Result<Played> {
    let listener = vm.open(None)?;
    let attributes = &mut vm.http(listener)?.attributes;
    attributes.insert(b"source\0address".to_vec(), b"10.1.2.3:40000".to_vec());
    let mut client = Client::new(listener);
    match feed(vm, listener, client_headers(request), &request.body)? {
        Outcome::Reply(headers, body) => {
            // Envoy passes the filter's own reply through the filter's response callbacks.
            let events = [Event::Headers(headers), Event::Piece(body, true)];
            client.receive(vm, events)?;
        }
        Outcome::Call(call) => forward(vm, &mut client, call, attempts)?,
    }
    vm.close(listener)?;
    client.finish()
}

/// Tries one upstream after the other.
fn forward(vm: &mut Vm, client: &mut Client, mut call: Call, attempts: &[Attempt]) -> Result<()> {
    for (index, attempt) in attempts.iter().enumerate() {
        let Some(channel) = &attempt.channel else {
            client.calls.push(call);
            return client.receive(vm, attempt.events());
        };
        let is_last = index + 1 == attempts.len();
        let upstream = open_upstream(vm, client.listener.context, channel)?;
        let Outcome::Call(sent) = feed(vm, upstream, call.headers, &call.body)? else {
            bail!("the upstream stage sends its own answer");
        };
        // The next attempt starts from the headers as changed by this stage, but not from its body.
        call.headers = sent.headers.clone();
        client.calls.push(sent);
        let mut stage = Stage::new(upstream);
        for event in attempt.events() {
            let events = stage.push(vm, event)?;
            if !is_last && events.first().is_some_and(Event::is_retriable) {
                break;
            }
            client.receive(vm, events)?;
        }
        vm.close(upstream)?;
        if client.is_done {
            return Ok(());
        }
    }
    bail!("the filter calls an upstream, but the exchange has no attempt left")
}

fn open_upstream(vm: &mut Vm, listener: u32, channel: &str) -> Result<u32> {
    let upstream = vm.open(Some(listener))?;
    let path = b"xds\0upstream_host_metadata\0filter_metadata\0bedrock\0channel";
    let attributes = &mut vm.http(upstream)?.attributes;
    attributes.insert(path.to_vec(), channel.as_bytes().to_vec());
    Ok(upstream)
}

/// Takes a request through one stage.
fn feed(vm: &mut Vm, context: u32, headers: Pairs, body: &[u8]) -> Result<Outcome> {
    let count = u32::try_from(headers.0.len())?;
    vm.http(context)?.request_headers = headers;
    let name = "proxy_on_request_headers";
    let mut goes_on = callback(vm, name, context, count, body.is_empty())?;
    for read in reads(body) {
        if vm.http(context)?.reply.is_some() {
            break;
        }
        ensure!(!goes_on, "a request is sent on before it is complete");
        let buffer = &mut vm.http(context)?.request_body;
        buffer.extend_from_slice(read);
        let size = u32::try_from(buffer.len())?;
        goes_on = callback(vm, "proxy_on_request_body", context, size, read.is_empty())?;
    }
    let http = vm.http(context)?;
    if let Some(reply) = http.reply.take() {
        let mut headers = reply.headers;
        headers.add(b":status".to_vec(), reply.status.to_string().into_bytes());
        return Ok(Outcome::Reply(headers, reply.body));
    }
    ensure!(goes_on, "a request is held back for ever");
    Ok(Outcome::Call(Call {
        headers: std::mem::take(&mut http.request_headers),
        body: std::mem::take(&mut http.request_body),
    }))
}

/// A body in the pieces in which it is read, with its end separately; nothing if there is no body.
fn reads(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = (!body.is_empty()).then_some(&[][..]);
    body.chunks(READ).chain(end)
}

/// Calls a stage's callback; returns whether the message continues.
fn callback(vm: &mut Vm, name: &str, context: u32, size: u32, end: bool) -> Result<bool> {
    const CONTINUE: u32 = 0;
    let action: u32 = vm.call(name, context, (context, size, u32::from(end)))?;
    Ok(action == CONTINUE)
}

/// One stage on a response's way to the client.
struct Stage {
    context: u32,
    holds_headers: bool,
}

impl Stage {
    fn new(context: u32) -> Self {
        Self {
            context,
            holds_headers: false,
        }
    }

    /// Gives the stage what arrived, and returns what it releases.
    fn push(&mut self, vm: &mut Vm, event: Event) -> Result<Vec<Event>> {
        let context = self.context;
        let mut events = Vec::new();
        match event {
            Event::Headers(headers) => {
                let count = u32::try_from(headers.0.len())?;
                vm.http(context)?.response_headers = headers;
                self.holds_headers = true;
                if callback(vm, "proxy_on_response_headers", context, count, false)? {
                    events.extend(self.release(vm)?);
                }
            }
            Event::Piece(piece, end) => {
                let buffer = &mut vm.http(context)?.response_body;
                buffer.extend(piece);
                let size = u32::try_from(buffer.len())?;
                if callback(vm, "proxy_on_response_body", context, size, end)? {
                    events.extend(self.release(vm)?);
                    let body = std::mem::take(&mut vm.http(context)?.response_body);
                    events.push(Event::Piece(body, end));
                }
            }
        }
        let replied = vm.http(context)?.reply.is_some();
        ensure!(!replied, "the filter answers instead of an upstream");
        Ok(events)
    }

    fn release(&mut self, vm: &mut Vm) -> Result<Option<Event>> {
        if !std::mem::take(&mut self.holds_headers) {
            return Ok(None);
        }
        let headers = std::mem::take(&mut vm.http(self.context)?.response_headers);
        Ok(Some(Event::Headers(headers)))
    }
}

impl Event {
    fn is_retriable(&self) -> bool {
        match self {
            Self::Headers(headers) => headers
                .text(":status")
                .is_some_and(|status| status.starts_with('5') || RETRIABLE.contains(&status)),
            Self::Piece(..) => false,
        }
    }
}

impl Attempt {
    /// What arrives, with the end as a separate piece.
    fn events(&self) -> Vec<Event> {
        let mut headers = Pairs::of(&[
            (":status", self.status),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("content-type", self.content_type),
            ("x-amzn-requestid", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
            ("x-envoy-upstream-service-time", "900"),
        ]);
        if let [body] = self.pieces.as_slice() {
            headers.add(
                b"content-length".to_vec(),
                body.len().to_string().into_bytes(),
            );
        }
        let pieces = self.pieces.iter().cloned();
        let pieces = pieces.map(|piece| Event::Piece(piece, false));
        let end = Event::Piece(Vec::new(), true);
        [Event::Headers(headers)]
            .into_iter()
            .chain(pieces)
            .chain([end])
            .collect()
    }
}

/// Request headers as sent by the official clients, with what Envoy's connection manager adds.
fn client_headers(request: &Request) -> Pairs {
    let mut headers = Pairs::of(&[
        (":authority", "gateway.example"),
        (":path", request.path),
        (":method", request.method),
        (":scheme", "http"),
        ("accept", "application/json"),
        ("authorization", "Bearer sk-of-the-client"),
        ("content-type", "application/json"),
        ("user-agent", "OpenAI/Python 3.52.0"),
        ("x-forwarded-for", "10.1.2.3"),
        ("x-forwarded-proto", "http"),
        ("x-request-id", "6f7c1f0e-8d4b-4c0a-9a53-2f5d3c1b7e90"),
    ]);
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        headers.add(b"content-length".to_vec(), length.into_bytes());
    }
    headers
}

/// The client's end: what comes out of the listener's stage.
struct Client {
    listener: Stage,
    headers: Option<Pairs>,
    body: Vec<u8>,
    pieces: usize,
    is_done: bool,
    calls: Vec<Call>,
}

impl Client {
    fn new(listener: u32) -> Self {
        Self {
            listener: Stage::new(listener),
            headers: None,
            body: Vec::new(),
            pieces: 0,
            is_done: false,
            calls: Vec::new(),
        }
    }

    fn receive(&mut self, vm: &mut Vm, events: impl IntoIterator<Item = Event>) -> Result<()> {
        for event in events {
            for event in self.listener.push(vm, event)? {
                match event {
                    Event::Headers(headers) => self.headers = Some(headers),
                    Event::Piece(piece, end) => {
                        self.pieces += usize::from(!piece.is_empty());
                        self.body.extend(piece);
                        self.is_done |= end;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Played> {
        ensure!(self.is_done, "a response is held back for ever");
        let headers = self.headers.context("a body without headers")?;
        let status = headers.text(":status").context("no status")?.to_owned();
        Ok(Played {
            status,
            headers,
            body: self.body,
            pieces: self.pieces,
            calls: self.calls,
        })
    }
}
