//! Modules of one room lean on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};

use super::house::{House, Module, Rooms};

/// The rooms of the filter, with their modules floor by floor, from top to bottom: each knows only those on lower
/// floors. What is not here may stand anywhere, as long as no modules know each other in a circle.
const FLOORS: &[(&str, &[&str])] = &[
    (
        "filter",
        &[
            "root",
            "upstream",
            "http",
            "requests streams",
            "end",
            "host metrics environment",
        ],
    ),
    (
        "exchange",
        &[
            "attempt life",
            "request response listener opening",
            "answer caller",
            "measure",
            "report",
            "health",
            "arrival head body outcome placeholder",
        ],
    ),
    (
        "failover",
        &[
            "request",
            "picker",
            "events",
            "cooldowns connections turns profile_only backups buffer",
        ],
    ),
    ("call", &["timeout", "headers left_out"]),
    (
        "routes",
        &[
            "permitted",
            "listed",
            "compile",
            "keys",
            "resolve",
            "refusal pools nearest index",
        ],
    ),
    (
        "protocol",
        &[
            "path",
            "openai_chat openai_responses anthropic_messages",
            "openai retry",
        ],
    ),
    (
        "protocol/anthropic_messages",
        &[
            "convert events reader",
            "error shape",
            "params",
            "wishes estimate",
            "answer count fault wire",
        ],
    ),
    (
        "protocol/openai",
        &[
            "body part",
            "fault blocks params",
            "content arguments tool options value error free_text",
        ],
    ),
    (
        "protocol/openai_chat",
        &[
            "read",
            "conversation chunk",
            "parse error",
            "params reasoning",
            "request",
            "message tool tool_choice foreign format completion",
        ],
    ),
    (
        "protocol/openai_responses",
        &[
            "read events",
            "items answer",
            "item wanted error",
            "params call echo",
            "request tools",
            "names",
        ],
    ),
    (
        "bedrock",
        &[
            // Which dialect speaks.
            "family serving",
            "converse",
            "dialects cut",
            "dialect",
            // What dialects are made of.
            "shared stream",
            "decoding",
            "target error",
            "options invoke redact",
        ],
    ),
    (
        "bedrock/converse",
        &[
            "request",
            "tools",
            "messages",
            "body stream",
            "extras response",
            "family documents blob",
        ],
    ),
    (
        "bedrock/dialects/amazon/nova",
        &["request", "messages tools stream", "body response"],
    ),
    (
        "bedrock/dialects/anthropic/messages",
        &["request", "turns thinking stream", "body betas response"],
    ),
    (
        "bedrock/dialects/cohere/command_r",
        &["request", "tools stream", "body rounds response"],
    ),
    ("bedrock/dialects/mistral", &["chat", "instruct messages"]),
    (
        "bedrock/dialects/openai/chat",
        &["request response stream", "messages calls", "body wire"],
    ),
    (
        "bedrock/shared",
        &[
            // Answers, and the requests that lead to them.
            "prompt_labels",
            "prompt",
            "choice_list encoded",
            "answer",
            "answer_text structured",
            "tools",
            // What is said.
            "conversation markup",
            "document image bedrock_fields converse_blocks",
            "base64 tool_names cache_points end_reason invocation_metrics arguments",
            "answer_tool",
            "schema",
        ],
    ),
    (
        "bedrock/shared/conversation",
        &["build", "blocks pairing mixing"],
    ),
    (
        "bedrock/shared/markup",
        &[
            "listener",
            "scanner",
            "vocabulary",
            "table",
            "forms",
            "typed state",
            "calls side fence",
        ],
    ),
    (
        "bedrock/shared/schema",
        &["bare wrap", "inline object subset"],
    ),
    ("catalog", &["model", "family", "profiles"]),
    (
        "config",
        &[
            "open lint rules",
            "matching",
            "channel failover keys",
            "credentials guardrail generation stage fault maps text",
        ],
    ),
    (
        "chat",
        &[
            "stream check",
            "sink request",
            "answer error tool",
            "message param calls media",
        ],
    ),
    (
        "json",
        &[
            "fault",
            "text serializer",
            "reader escape",
            "special pieces repair",
        ],
    ),
    ("json/reader", &["access skip", "token"]),
    ("json/serializer", &["members", "text"]),
];

#[test]
fn modules_know_those_on_lower_floors_alone() {
    let house = House::of("src");
    let faults = faults(&house.rooms(), FLOORS, |module| {
        house.modules.contains(module)
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a table of floors does not allow, and what it names in vain.
fn faults(
    rooms: &Rooms,
    floors: &[(&str, &[&str])],
    exists: impl Fn(&Module) -> bool,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut floor_of = BTreeMap::new();
    for (room, floors) in floors {
        let modules = floors.iter().enumerate();
        for (floor, module) in
            modules.flat_map(|(at, names)| names.split(' ').map(move |own| (at, own)))
        {
            let path: Module = room.split('/').chain([module]).map(str::to_owned).collect();
            if !exists(&path) {
                faults.push(format!("{room} has no {module}: take it off its floor"));
            }
            floor_of.insert(path, floor);
        }
    }
    // The crate's own rooms are on a map of their own.
    for (room, arrows) in rooms.iter().filter(|(room, _)| !room.is_empty()) {
        let floor = |module: &String| {
            let path: Module = room.iter().chain([module]).cloned().collect();
            floor_of.get(&path)
        };
        let room = room.join("/");
        for ((from, to), place) in arrows {
            if let (Some(own), Some(other)) = (floor(from), floor(to))
                && own >= other
            {
                faults.push(format!(
                    "{place}: {from} must not name {to}, which is not on a lower floor of {room}"
                ));
            }
        }
        let circle = circle(arrows.keys());
        if !circle.is_empty() {
            faults.push(format!(
                "{room}: these know each other: {}",
                circle.join(", ")
            ));
        }
    }
    faults
}

/// The modules of a room that are in a circle, or between two: what is left when those without an arrow in or out are
/// taken away, until nothing changes.
fn circle<'a>(arrows: impl Iterator<Item = &'a (String, String)>) -> Vec<&'a str> {
    let mut arrows: Vec<(&str, &str)> = arrows.map(|(from, to)| (&**from, &**to)).collect();
    loop {
        let from: BTreeSet<_> = arrows.iter().map(|(from, _)| *from).collect();
        let to: BTreeSet<_> = arrows.iter().map(|(_, to)| *to).collect();
        let before = arrows.len();
        arrows.retain(|(own, other)| to.contains(own) && from.contains(other));
        if arrows.len() == before {
            return from.into_iter().collect();
        }
    }
}

#[test]
fn an_import_from_an_upper_floor_is_a_fault() {
    let floors: &[(&str, &[&str])] = &[("room", &["top", "middle also", "bottom"])];
    let check = |from: &str, to: &str| {
        let arrow = ((from.to_owned(), to.to_owned()), "file.rs".to_owned());
        let rooms = Rooms::from([(vec!["room".to_owned()], BTreeMap::from([arrow]))]);
        faults(&rooms, floors, |_| true)
    };
    assert!(check("top", "bottom").is_empty());
    assert!(check("middle", "bottom").is_empty());
    let upwards = ["file.rs: bottom must not name also, which is not on a lower floor of room"];
    assert_eq!(check("bottom", "also"), upwards);
    let beside = ["file.rs: also must not name middle, which is not on a lower floor of room"];
    assert_eq!(check("also", "middle"), beside);
    assert!(check("attic", "top").is_empty(), "it has no floor yet");
    let gone = faults(&Rooms::new(), floors, |module| module[1] != "also");
    assert_eq!(gone, ["room has no also: take it off its floor"]);
}

#[test]
fn modules_that_know_each_other_are_found() {
    let arrows = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
            .collect()
    };
    let straight = arrows(&[("a", "b"), ("b", "c"), ("a", "c")]);
    assert!(circle(straight.iter()).is_empty());
    let round = arrows(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]);
    assert_eq!(circle(round.iter()), ["b", "c"]);
}
