//! Plays an exchange and counts what it costs.

use anyhow::{Context as _, Result, ensure};

use crate::exchanges::{Exchange, Part};
use crate::figures::{Cost, Figure};
use crate::host::Counts;
use crate::vm::{Charge, Interpreter, Vm};

/// An hour, in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// The module, in two interpreters that charge fuel for different things.
#[derive(Debug)]
pub struct Meter {
    size: u64,
    compiler: String,
    instructions: Interpreter,
    instructions_and_bytes: Interpreter,
}

/// What one run of an exchange cost.
struct Sample {
    fuel: u64,
    counts: Counts,
    /// Linear memory before and after.
    memory: (u64, u64),
}

impl Meter {
    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// When it is not a module.
    pub fn new(wasm: &[u8]) -> Result<Self> {
        Ok(Self {
            size: wasm.len() as u64,
            compiler: compiler(wasm),
            instructions: Interpreter::new(wasm, Charge::Instructions)?,
            instructions_and_bytes: Interpreter::new(wasm, Charge::InstructionsAndBytes)?,
        })
    }

    /// Commit of the compiler that compiled the module, or `unknown`.
    #[must_use]
    pub fn compiler(&self) -> &str {
        &self.compiler
    }

    /// The cost of the module itself.
    #[must_use]
    pub fn module(&self) -> Cost {
        Cost::from([(Figure::SizeBytes, self.size)])
    }

    /// The cost of an exchange whose answer is correct.
    ///
    /// It is played twice, each time in a new VM: the bytes moved are the difference when they are charged
    /// too.
    ///
    /// # Errors
    ///
    /// When it cannot be played, its answer is wrong, or the two runs differ in any other way.
    pub fn measure(&self, exchange: &Exchange) -> Result<Cost> {
        let sample = |interpreter| sample(interpreter, exchange);
        let samples = sample(&self.instructions)
            .and_then(|plain| Ok((plain, sample(&self.instructions_and_bytes)?)));
        let (plain, with_bytes) = samples.with_context(|| exchange.name.clone())?;
        ensure!(
            plain.counts == with_bytes.counts && plain.memory == with_bytes.memory,
            "{} differs between two runs",
            exchange.name
        );
        let (before, after) = plain.memory;
        let charged = with_bytes.fuel.checked_sub(plain.fuel + (after - before));
        Ok(Cost::from([
            (Figure::Instructions, plain.fuel),
            (
                Figure::CopiedBytes,
                charged.context("fuel differs between two runs")?,
            ),
            (Figure::HostCalls, plain.counts.calls),
            (Figure::BytesIn, plain.counts.bytes_in),
            (Figure::BytesOut, plain.counts.bytes_out),
            (Figure::MemoryBytes, after),
        ]))
    }
}

/// The standard library's panics name their files under `/rustc/<commit>/`; nothing else in a stripped
/// module identifies the compiler.
fn compiler(wasm: &[u8]) -> String {
    const MARK: &[u8] = b"/rustc/";
    const DIGITS: usize = 40;
    let marks = wasm
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK);
    let mut commits = marks.filter_map(|(start, _)| {
        let commit = wasm.get(start + MARK.len()..)?.get(..DIGITS)?;
        let commit = std::str::from_utf8(commit).ok()?;
        commit
            .bytes()
            .all(|digit| digit.is_ascii_hexdigit())
            .then_some(commit)
    });
    commits.next().unwrap_or("unknown").to_owned()
}

fn sample(interpreter: &Interpreter, exchange: &Exchange) -> Result<Sample> {
    let mut vm = interpreter.start()?;
    match &exchange.part {
        Part::Configure => {
            let ((), sample) = watch(&mut vm, |vm| vm.configure(&exchange.configuration))?;
            Ok(sample)
        }
        Part::Play(play) => {
            vm.configure(&exchange.configuration)?;
            // What a VM does once, such as deriving the day's signing key, is not part of an exchange's
            // cost.
            play.check(&play.run(&mut vm)?)?;
            // By then a failed channel is tried first again.
            vm.host().now += HOUR;
            let (played, sample) = watch(&mut vm, |vm| play.run(vm))?;
            play.check(&played)?;
            Ok(sample)
        }
    }
}

fn watch<T>(vm: &mut Vm, step: impl FnOnce(&mut Vm) -> Result<T>) -> Result<(T, Sample)> {
    let (fuel, counts, memory) = (vm.fuel()?, vm.host().counts, vm.memory());
    let outcome = step(vm)?;
    let sample = Sample {
        fuel: vm.fuel()? - fuel,
        counts: vm.host().counts.since(counts),
        memory: (memory, vm.memory()),
    };
    Ok((outcome, sample))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_read_from_paths_of_the_standard_library() {
        let path = b"\0/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/alloc/src/fmt.rs\0";
        assert_eq!(compiler(path), "59807616e1fa2540724bfbac14d7976d7e4a3860");
        assert_eq!(
            compiler(b"/rustc/library/alloc/src/fmt.rs, which is far too short"),
            "unknown"
        );
    }
}
