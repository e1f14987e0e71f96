//! The licences of everything that a release consists of, as their texts ask for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::crates::{Crate, Crates};

/// How the names of files with licences begin, in capitals.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"];

/// What stands above the crates that bring no text along.
const WITHOUT: &str = "The archives of these crates have no text of their licence:";

/// A list of the crates with their licences, and each text once.
pub(super) fn of(crates: &Crates) -> Result<String> {
    let mut list = String::from("This release is built from these crates:\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for (_, own) in crates.iter() {
        let name = format!("{} {}", own.name, own.version);
        list.push_str(&format!("{name}: {}\n", own.licence));
        let own = texts_of(own)?;
        if own.is_empty() {
            without.push(name.clone());
        }
        for text in own {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    list.push_str(&format!("\n{WITHOUT} {}\n", without.join(", ")));
    for (text, names) in texts {
        let line = "-".repeat(80);
        list.push_str(&format!(
            "\n{line}\n{}\n{line}\n\n{text}\n",
            names.join(", ")
        ));
    }
    Ok(list)
}

/// The texts of a crate. Those of this repository share the one at its top.
fn texts_of(own: &Crate) -> Result<Vec<String>> {
    let texts = read(&own.folder)?;
    match own.folder.parent() {
        Some(above) if texts.is_empty() && own.checksum.is_none() => read(above),
        _ => Ok(texts),
    }
}

/// The texts in a folder.
fn read(folder: &Path) -> Result<Vec<String>> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    let is_licence = |file: &&std::path::PathBuf| {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_uppercase();
        file.is_file() && NAMES.iter().any(|own| name.starts_with(own))
    };
    let licences = files.iter().filter(is_licence);
    let texts = licences.map(|file| {
        let bytes = fs::read(file)?;
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        Ok(text.trim_end().to_owned())
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn every_crate_has_its_text_or_is_named_among_those_without() {
        let crates = Crates::of(&Workspace::locate().unwrap()).unwrap();
        let all = of(&crates).unwrap();
        let (list, texts) = all.split_once(WITHOUT).unwrap();
        let (without, texts) = texts.split_once('\n').unwrap();
        for (_, own) in crates.iter() {
            let name = format!("{} {}", own.name, own.version);
            assert!(list.contains(&format!("\n{name}: ")), "{name}");
            assert!(texts.contains(&name) || without.contains(&name), "{name}");
            assert!(own.checksum.is_some() || !without.contains(&name), "{name}");
        }
    }
}
