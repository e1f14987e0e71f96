//! How the bytes of an answer leave: whole, in pieces, late, or cut off.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use serde_json::Value;
use tokio::sync::watch;

use crate::event_stream;
use crate::fault::{Effect, Pace};

/// Long enough for what was written to leave before the connection is cut.
const FLUSH: Duration = Duration::from_millis(20);

enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Until held streams are released.
    Hold,
    Cut,
}

/// Encodes the event of an index.
pub(crate) type Encoder = fn(usize, &Value) -> Vec<u8>;

/// The body of an event stream, with the stream faults of `effect`; if the pace holds it, until `released` changes.
pub(crate) fn events(
    events: &[Value],
    encoder: Encoder,
    (effect, pace): (&Effect, Pace),
    released: watch::Receiver<()>,
) -> Body {
    let numbered = events.iter().enumerate();
    let frames = numbered
        .map(|(index, event)| encoder(index, event))
        .collect();
    let (frames, cut) = shape(frames, effect);
    let mut steps = paced(frames, pace);
    if cut {
        steps.push_back(Step::Cut);
    }
    body(steps, Some(released))
}

/// A body that is sent as it is, in pieces if the pace says so.
pub(crate) fn pieces(bytes: Vec<u8>, pace: Pace) -> Body {
    match pace.piece_bytes {
        0 => Body::from(bytes),
        _ => body(paced(vec![bytes], pace), None),
    }
}

/// The body of a plain answer.
pub(crate) fn whole(text: String, effect: &Effect, pace: Pace) -> Body {
    let mut bytes = text.into_bytes();
    let Effect::Cut { .. } = effect else {
        return pieces(bytes, pace);
    };
    bytes.truncate(bytes.len() / 2);
    let mut steps = paced(vec![bytes], pace);
    steps.push_back(Step::Cut);
    body(steps, None)
}

/// The frames that are actually sent, and whether the connection is cut afterwards.
fn shape(mut frames: Vec<Vec<u8>>, effect: &Effect) -> (Vec<Vec<u8>>, bool) {
    match effect {
        Effect::Exception {
            after_events,
            name,
            message,
        } => {
            frames.truncate(*after_events);
            frames.push(event_stream::exception(name, message));
        }
        Effect::Truncate { after_events } => frames.truncate(*after_events),
        Effect::Cut { after_events } => {
            frames.truncate(after_events + 1);
            if let Some(last) = frames.last_mut() {
                last.truncate(last.len() / 2);
            }
            return (frames, true);
        }
        Effect::CorruptFrame { event } => {
            if let Some(byte) = frames.get_mut(*event).and_then(|frame| frame.last_mut()) {
                *byte ^= 0xff;
            }
        }
        _ => {}
    }
    (frames, false)
}

fn paced(frames: Vec<Vec<u8>>, pace: Pace) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    // Without a delay the pieces run across frames, as TCP segments do.
    let units = match (pace.between_events_ms, pace.hold_after_events) {
        (0, 0) if pace.piece_bytes > 0 => vec![frames.concat()],
        _ => frames,
    };
    for (index, unit) in units.into_iter().enumerate() {
        if pace.between_events_ms > 0 && index > 0 {
            steps.push_back(Step::Wait(Duration::from_millis(pace.between_events_ms)));
        }
        if pace.hold_after_events > 0 && index == pace.hold_after_events {
            steps.push_back(Step::Hold);
        }
        let size = match pace.piece_bytes {
            0 => unit.len().max(1),
            bytes => bytes,
        };
        for piece in unit.chunks(size) {
            steps.push_back(Step::Send(Bytes::copy_from_slice(piece)));
        }
    }
    steps
}

fn body(steps: VecDeque<Step>, released: Option<watch::Receiver<()>>) -> Body {
    Body::from_stream(stream::unfold((steps, released), |state| async move {
        let (mut steps, mut released) = state;
        loop {
            match steps.pop_front()? {
                Step::Send(bytes) => {
                    // Lets the previous piece leave on its own.
                    tokio::task::yield_now().await;
                    return Some((Ok(bytes), (steps, released)));
                }
                Step::Wait(pause) => tokio::time::sleep(pause).await,
                Step::Hold => {
                    if let Some(released) = &mut released {
                        let _ = released.changed().await;
                    }
                }
                Step::Cut => {
                    tokio::time::sleep(FLUSH).await;
                    return Some((
                        Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                        (steps, released),
                    ));
                }
            }
        }
    }))
}
