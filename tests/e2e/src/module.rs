//! Other editions of the filter's module: the same code, but a different module for Envoy.

use std::fs;

use sha2::{Digest as _, Sha256};

use crate::{Artefacts, Stack};

/// Name of the file that a stack with [`crate::Module::ServedCopy`] serves.
const FILE: &str = "filter.wasm";

impl Stack {
    /// Replaces the served module with an edition of it, restarts the config-service and waits until
    /// Envoy's listener runs it. Edition 0 is the module as built.
    pub async fn serve_edition(&mut self, edition: u8) {
        let sha256 = self.write_edition(edition);
        self.config.restart_with(|_| ()).await;
        self.envoy.wait_module(&sha256).await;
    }

    /// Writes an edition without telling the config-service; returns its SHA-256.
    pub fn write_edition(&self, edition: u8) -> String {
        let module = Artefacts::from_environment().module;
        let mut module = fs::read(module).expect("the module");
        if self.traps {
            module = trapping(&module);
        }
        if edition > 0 {
            // An empty custom section changes only the hash.
            module.extend([0, 5, 4, b'e', b'd', b'.', edition]);
        }
        fs::write(self.scratch.join(FILE), &module).expect("the scratch folder is writable");
        Sha256::digest(&module)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// The module with a trap in place of what it does at the end of a request with trailers, which no client sends by accident.
///
/// <https://webassembly.github.io/spec/core/binary/modules.html>
pub(crate) fn trapping(module: &[u8]) -> Vec<u8> {
    const IMPORTS: u8 = 2;
    const EXPORTS: u8 = 7;
    const CODE: u8 = 10;
    let (mut imported, mut wanted) = (0, None);
    let (header, mut rest) = module.split_at(8);
    let mut out = header.to_vec();
    while let Some((id, after)) = rest.split_first() {
        rest = after;
        let length = number(&mut rest);
        let (mut section, after) = rest.split_at(length);
        rest = after;
        match *id {
            IMPORTS => imported = imported_functions(section),
            EXPORTS => wanted = exported(section, "proxy_on_request_trailers"),
            CODE => {
                let index = wanted.expect("it is exported") - imported;
                let code = with_trap(&mut section, index);
                push(&mut out, *id, &code);
                continue;
            }
            _ => {}
        }
        push(&mut out, *id, section);
    }
    out
}

/// How many functions there are before the module's own.
fn imported_functions(mut section: &[u8]) -> usize {
    let count = number(&mut section);
    for _ in 0..count {
        let (_, _) = (name(&mut section), name(&mut section));
        assert_eq!(
            take(&mut section),
            0,
            "a module of the SDK imports only functions"
        );
        number(&mut section);
    }
    count
}

/// The index of an exported function.
fn exported(mut section: &[u8], wanted: &str) -> Option<usize> {
    let count = number(&mut section);
    let found = (0..count).map(|_| {
        let name = name(&mut section);
        let kind = take(&mut section);
        (name, kind, number(&mut section))
    });
    let mut found = found.filter(|(name, kind, _)| *name == wanted.as_bytes() && *kind == 0);
    found.next().map(|(_, _, index)| index)
}

/// The code section with a body that only traps.
fn with_trap(section: &mut &[u8], index: usize) -> Vec<u8> {
    // No locals, `unreachable`, `end`.
    const TRAP: [u8; 3] = [0, 0, 0x0b];
    let count = number(section);
    let mut out = leb(count);
    for own in 0..count {
        let length = number(section);
        let (body, rest) = section.split_at(length);
        *section = rest;
        let body = if own == index { &TRAP } else { body };
        out.extend(leb(body.len()));
        out.extend_from_slice(body);
    }
    out
}

fn push(out: &mut Vec<u8>, id: u8, section: &[u8]) {
    out.push(id);
    out.extend(leb(section.len()));
    out.extend_from_slice(section);
}

fn take(bytes: &mut &[u8]) -> u8 {
    let (first, rest) = bytes.split_first().expect("a byte");
    *bytes = rest;
    *first
}

fn name<'b>(bytes: &mut &'b [u8]) -> &'b [u8] {
    let length = number(bytes);
    let (name, rest) = bytes.split_at(length);
    *bytes = rest;
    name
}

/// An unsigned LEB128 number.
fn number(bytes: &mut &[u8]) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = take(bytes);
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}
