//! Names of documents, about which Converse is strict.

use std::collections::BTreeSet;

/// Longest name, in characters.
const MAX_LEN: usize = 200;

/// Space that is kept for a number, which makes equal names distinct.
const NUMBER_LEN: usize = 8;

/// Gives each document of a request a unique name.
#[derive(Debug, Default)]
pub(super) struct DocumentNames {
    used: BTreeSet<String>,
}

impl DocumentNames {
    /// A name like the file's, without the extension, which its format already says.
    pub(super) fn name(&mut self, file: Option<&str>, format: &str) -> String {
        let base = sanitised(stem(file.unwrap_or_default(), format));
        let mut name = base.clone();
        let mut number = 1_u32;
        while !self.used.insert(name.clone()) {
            number += 1;
            name = format!("{base} ({number})");
        }
        name
    }
}

fn stem<'f>(file: &'f str, format: &str) -> &'f str {
    match file.rsplit_once('.') {
        Some((stem, ending)) if ending.eq_ignore_ascii_case(format) => stem,
        _ => file,
    }
}

/// Letters, digits, single spaces, hyphens, parentheses and brackets:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>.
fn sanitised(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let words = text.split(|c| !allowed(c)).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        let space = if name.is_empty() { "" } else { " " };
        name.push_str(space);
        name.push_str(word);
    }
    name.truncate(MAX_LEN - NUMBER_LEN);
    match name.trim_end() {
        "" => "document".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_made_valid_and_kept_distinct() {
        let mut names = DocumentNames::default();
        let mut check = |file: Option<&str>, expected: &str| {
            assert_eq!(names.name(file, "pdf"), expected);
        };
        check(Some("Q3 report.PDF"), "Q3 report");
        check(Some("Q3__report.pdf"), "Q3 report (2)");
        check(Some("a.b/c (1).docx"), "a b c (1) docx");
        check(Some("отчёт.pdf"), "document");
        check(None, "document (2)");
    }

    proptest! {
        #[test]
        fn any_file_name_becomes_a_valid_name(files in prop::collection::vec(".*", 1..4)) {
            let mut names = DocumentNames::default();
            for file in files {
                let name = names.name(Some(&file), "pdf");
                prop_assert!((1..=MAX_LEN).contains(&name.len()));
                prop_assert!(!name.contains("  ") && name.trim() == name);
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b" -()[]".contains(&b)));
            }
        }
    }
}
