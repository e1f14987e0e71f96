//! What goes wrong in the regions and on the way to them.

use std::sync::Arc;

use bedrock_simulator::{Effect, Fault, Pace};

use crate::dice::{Dice, Kind, Step};
use crate::settings::Tempo;
use crate::story::{Name, Story};
use crate::world::Regions;

/// Longer than any client waits, in milliseconds.
const FOR_EVER: u64 = 3_600_000;

/// Regions in which everything may go wrong.
const FRAIL: [Name; 3] = [Name::A, Name::B, Name::D];

/// Something that goes wrong in a region.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// This happens to requests, instead of what happened before.
    Fault(Name, Box<Fault>),
    /// Requests are served normally again.
    Calm(Name),
    /// All connections are reset, and the effect may last for this many requests.
    Reset(Name, u32),
    /// No connection is accepted until this many requests have ended.
    Closed(Name, u32),
}

/// Every kind of it.
pub const KINDS: &[Kind<Trouble>] = &[
    |dice| early(dice, |_| Fault::throttling()),
    |dice| {
        early(dice, |_| {
            Fault::throttling().with_header("retry-after", "1")
        })
    },
    |dice| early(dice, server_error),
    |dice| early(dice, |_| Fault::new(Effect::Close)),
    |dice| early(dice, |_| Fault::new(Effect::Cut { after_events: 0 })),
    |dice| {
        early(dice, |_| {
            Fault::raw(200, "text/html", "<html>Welcome!</html>")
        })
    },
    |dice| early(dice, |_| Fault::new(Effect::UnknownOperation)),
    |dice| early(dice, |dice| exception(dice, 0)),
    |dice| early(dice, |_| Fault::new(Effect::Truncate { after_events: 0 })),
    |dice| early(dice, |_| Fault::new(Effect::CorruptFrame { event: 0 })),
    opening,
    hang,
    |dice| late(dice, |dice| exception(dice, 3)),
    |dice| late(dice, |_| Fault::new(Effect::Truncate { after_events: 4 })),
    |dice| late(dice, |_| Fault::new(Effect::CorruptFrame { event: 3 })),
    |dice| late(dice, |_| Fault::new(Effect::Cut { after_events: 3 })),
    slow,
    slow,
    |dice| Trouble::Calm(dice.one_of(&FRAIL)),
    |dice| Trouble::Reset(dice.one_of(&FRAIL), dice.number(20..=60)),
    |dice| Trouble::Closed(dice.one_of(&FRAIL), dice.number(20..=100)),
];

/// Happens before the first word, so clients that have another region do not notice.
fn early(dice: &mut Dice, fault: impl FnOnce(&mut Dice) -> Fault) -> Trouble {
    let region = dice.one_of(&FRAIL);
    let fault = fault(dice)
        .times(dice.number(1..=12))
        .every(dice.number(1..=3));
    Trouble::Fault(region, Box::new(fault))
}

/// Happens after the first word, so it breaks the stream, in whichever region.
fn late(dice: &mut Dice, fault: impl FnOnce(&mut Dice) -> Fault) -> Trouble {
    let region = dice.one_of(&Name::ALL);
    let mut fault = fault(dice)
        .times(dice.number(1..=6))
        .every(dice.number(1..=3));
    if region == Name::C {
        // A cut plain answer could not be retried.
        fault.when.operation = Some(bedrock_simulator::Operation::InvokeStream);
    }
    Trouble::Fault(region, Box::new(fault))
}

/// Happens after the first events of a stream, which carry no words yet.
fn opening(dice: &mut Dice) -> Trouble {
    let events = dice.one_of(&[1, 2]);
    // The other family sends words sooner.
    let region = dice.one_of(&[Name::A, Name::D]);
    let fault = exception(dice, events).times(dice.number(1..=12));
    Trouble::Fault(region, Box::new(fault))
}

fn server_error(dice: &mut Dice) -> Fault {
    let (status, name) = dice.one_of(&[
        (408, "ModelTimeoutException"),
        (424, "ModelErrorException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ]);
    Fault::error(status, name, "It is broken.")
}

fn exception(dice: &mut Dice, after_events: usize) -> Fault {
    let name = dice.one_of(&[
        "internalServerException",
        "serviceUnavailableException",
        "throttlingException",
    ]);
    Fault::exception(after_events, name, "It is broken.")
}

fn hang(dice: &mut Dice) -> Trouble {
    let pace = Pace {
        before_headers_ms: FOR_EVER,
        ..Pace::default()
    };
    Trouble::Fault(
        dice.one_of(&FRAIL),
        Box::new(Fault::paced(pace).times(dice.number(1..=4))),
    )
}

fn slow(dice: &mut Dice) -> Trouble {
    let pace = Pace {
        before_headers_ms: dice.number(0..=300).into(),
        between_events_ms: dice.number(0..=50).into(),
        piece_bytes: dice.one_of(&[0, 1, 7, 100]),
        ..Pace::default()
    };
    Trouble::Fault(
        dice.one_of(&Name::ALL),
        Box::new(Fault::paced(pace).times(dice.number(5..=40))),
    )
}

/// Causes one fault after another until the run is over.
pub async fn walk(
    plan: impl Iterator<Item = Step<Trouble>>,
    (story, regions): (Arc<Story>, Arc<Regions>),
    tempo: Tempo,
) {
    for step in plan {
        if !super::pause(&story, tempo, step.pause).await {
            return;
        }
        story.note(&step.action);
        apply(step.action, &story, &regions).await;
    }
}

async fn apply(trouble: Trouble, story: &Story, regions: &Regions) {
    match trouble {
        Trouble::Fault(name, fault) => regions.of(name).set_faults([*fault]),
        Trouble::Calm(name) => regions.of(name).set_faults([]),
        Trouble::Reset(name, answers) => {
            let period = &story.weather.unreachable[name as usize];
            period.begin();
            regions.of(name).reset();
            // Envoy may consider a connection alive a moment longer.
            story.wait_answered(answers).await;
            period.end();
        }
        Trouble::Closed(name, answers) => {
            let period = &story.weather.unreachable[name as usize];
            period.begin();
            regions.of(name).close();
            story.wait_answered(answers).await;
            regions.of(name).open();
            period.end();
        }
    }
}
