//! Command lines in the documentation work as they are written.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Subcommand as _};
use config_service::{Args, Cli, Command};

use crate::documentation::read;

/// The pages for operators.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for folder in [
        "docs",
        "deploy/ecs",
        "deploy/helm/bedrock-filter",
        "deploy/kubernetes",
    ] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    pages
}

/// Lines of examples, and code in sentences.
fn code(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, part) in page.split("```").enumerate() {
        if let Some((_, example)) = part.split_once("sh\n").filter(|_| index % 2 == 1) {
            let lines = example.replace("\\\n", " ");
            found.extend(lines.lines().map(str::to_owned));
        } else {
            let spans = part.split('`').skip(1).step_by(2);
            found.extend(spans.map(|span| span.replace('\n', " ")));
        }
    }
    found
}

/// The words of a command in a line, up to what belongs to the shell.
fn words(line: &str) -> Option<Vec<String>> {
    const NAME: &str = "config-service ";
    let start = line.match_indices(NAME).map(|(at, _)| at).find(|at| {
        let before = line[..*at].trim_start();
        let is_container = before.contains(" exec ") && before.ends_with(' ');
        before.is_empty() || is_container || before.ends_with(['/', '('])
    })?;
    let comment = line.find('#').is_some_and(|at| at < start);
    let command = line[start..]
        .split([')', '>', '<', '|', ';', '&', '#'])
        .next()?;
    let words = command.split_whitespace().map(|word| word.replace('"', ""));
    (!comment).then(|| words.collect())
}

/// Works as it is written, or is the name of a subcommand in a sentence.
fn fault(line: &str, words: &[String]) -> Option<String> {
    let is_outline = words.iter().any(|word| word.starts_with('…'));
    let given = words.iter().filter(|word| !word.starts_with('…'));
    let (names, database) = subcommand(words);
    let is_name = names == words.len();
    match Cli::try_parse_from(given) {
        Ok(_) if is_name => None,
        Ok(_) => {
            let is_given = words.iter().any(|word| word == "--database");
            // There the variable has the path.
            let is_container = line.contains(" exec ");
            (database && !is_given && !is_container).then(|| "has no --database".to_owned())
        }
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if is_outline || is_name =>
            {
                None
            }
            _ => Some(error.to_string()),
        },
    }
}

/// How many words name the program and its subcommand, and whether that works on the database itself.
fn subcommand(words: &[String]) -> (usize, bool) {
    let mut command = Command::augment_subcommands(Args::command());
    let mut names = 1;
    for word in &words[1..] {
        let Some(below) = command.find_subcommand(word).cloned() else {
            break;
        };
        (command, names) = (below, names + 1);
    }
    let works_on_it = names > 1
        && command
            .get_arguments()
            .any(|own| own.get_id() == "database");
    (names, works_on_it)
}

/// The commands find the database of whoever copies them, whether its path was a flag or a variable.
#[test]
fn every_documented_command_line_works() {
    let mut seen = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for line in code(&read(&page)) {
            if let Some(words) = words(&line) {
                seen += 1;
                let fault = fault(&line, &words);
                faults.extend(fault.map(|fault| format!("{page}: {line}: {fault}")));
            }
        }
    }
    assert!(seen > 20, "{seen}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
