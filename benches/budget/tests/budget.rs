//! The filter costs no more than `budget.txt` says, and the documentation agrees.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io, thread};

use budget::comparison::Comparison;
use budget::exchanges;
use budget::figures::Figure;
use budget::ledger::Ledger;
use budget::measure::Meter;
use budget::table;

/// The permitted figures.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budget.txt");

/// The document that shows them.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PERFORMANCE.md");

/// The module: `BEDROCK_FILTER_WASM`.
fn module() -> Vec<u8> {
    let path = env::var_os("BEDROCK_FILTER_WASM").map(PathBuf::from);
    let remedy = "run the tests with `cargo xtask test`";
    let path = path.unwrap_or_else(|| panic!("BEDROCK_FILTER_WASM is not set; {remedy}"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; {remedy}", path.display()))
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn counted() -> Ledger {
    let wasm = module();
    let meter = Meter::new(&wasm).unwrap();
    let mut ledger = Ledger {
        compiler: meter.compiler().to_owned(),
        ..Ledger::default()
    };
    ledger.costs.insert("module".to_owned(), meter.module());
    let exchanges = exchanges::all();
    let costs = thread::scope(|scope| {
        let meter = &meter;
        let measure = |exchange| scope.spawn(move || meter.measure(exchange));
        let threads: Vec<_> = exchanges.iter().map(measure).collect();
        let costs = threads.into_iter().map(|thread| thread.join().unwrap());
        costs.collect::<Vec<_>>()
    });
    for (exchange, cost) in exchanges.into_iter().zip(costs) {
        let cost = cost.unwrap_or_else(|error| panic!("{error:#}"));
        ledger.costs.insert(exchange.name, cost);
    }
    ledger
}

#[test]
fn the_filter_keeps_to_its_budget() {
    let counted = counted();
    if env::var_os("UPDATE_BUDGET").is_some() {
        fs::write(FILE, counted.text()).unwrap();
        fs::write(DOCUMENT, table::within(&text(DOCUMENT), &counted).unwrap()).unwrap();
        return;
    }
    let file = Ledger::parse(&text(FILE)).unwrap_or_else(|error| panic!("{FILE}: {error:#}"));
    let comparison = Comparison::new(&file, &counted);
    if let Some(hint) = comparison.hint() {
        // Not `println!`, whose output a passing test hides.
        writeln!(io::stderr(), "{hint}").unwrap();
    }
    if let Some(failure) = comparison.failure() {
        panic!("{failure}");
    }
}

#[test]
fn the_documentation_has_the_same_figures() {
    let (document, file) = (text(DOCUMENT), Ledger::parse(&text(FILE)).unwrap());
    assert!(
        table::within(&document, &file).unwrap() == document,
        "the figures in docs/PERFORMANCE.md differ from benches/budget/budget.txt; run \
         UPDATE_BUDGET=1 cargo xtask test budget"
    );
}

/// By how many percent one exchange needs more instructions than another.
fn more(exchange: &str, than: &str) -> u64 {
    let file = Ledger::parse(&text(FILE)).unwrap();
    let cost = |name: &str| {
        let cost = file.costs.get(name);
        let instructions = cost.and_then(|own| own.get(&Figure::Instructions));
        *instructions.unwrap_or_else(|| panic!("{FILE} has no {name}"))
    };
    let alone = cost(than);
    // Rounded up: 5.1 % are not 5 %.
    (cost(exchange) - alone) * 100 / alone + 1
}

/// What the smallest chat costs when callers have keys, and when each is also counted and its usage recorded, compared with
/// what it costs where nobody is asked.
#[test]
fn keys_and_seeing_cost_little() {
    for (exchange, most) in [
        ("chat-1k-of-10000-callers", 5),
        ("chat-1k-everything-seen", 8),
    ] {
        let percent = more(exchange, "chat-1k-bearer");
        assert!(percent <= most, "{exchange}: {percent} % more");
    }
}

/// What it costs when the caller also has all kinds of limits, which its Envoy counts by itself.
#[test]
fn local_limits_cost_little() {
    let percent = more("chat-1k-local-limits", "chat-1k-of-one-caller");
    assert!(percent <= 8, "{percent} % more");
}

#[test]
fn the_module_contains_no_path_of_the_build_machine() {
    let wasm = module();
    let home = env::home_dir().unwrap();
    let repository = fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
    let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    for folder in [cargo, repository] {
        let folder = folder.to_str().unwrap().as_bytes();
        let found = wasm.windows(folder.len()).position(|part| part == folder);
        assert_eq!(found, None, "{}", String::from_utf8_lossy(folder));
    }
}
