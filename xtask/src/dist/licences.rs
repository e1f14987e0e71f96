//! The licences of everything that a release consists of, as their texts ask for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::crates::Crates;

/// How the names of files with licences begin, in capitals.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"];

/// A list of the crates with their licences, and each text once.
pub(super) fn of(crates: &Crates) -> Result<String> {
    let mut list = String::from("This release is built from these crates:\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, own) in crates.iter() {
        let name = format!("{} {}", own.name, own.version);
        list.push_str(&format!("{name}: {}\n", own.licence));
        for text in read(&own.folder)? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    for (text, names) in texts {
        let line = "-".repeat(80);
        list.push_str(&format!(
            "\n{line}\n{}\n{line}\n\n{text}\n",
            names.join(", ")
        ));
    }
    Ok(list)
}

/// The texts in a crate's folder.
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
