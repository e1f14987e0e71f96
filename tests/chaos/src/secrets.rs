//! Checks that nothing readable shows a secret or a prompt.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use e2e::{ADMIN_TOKEN, SEAL_KEY};
use memchr::memmem;

use crate::story::PROMPT_MARK;

/// What every secret of a run contains, and nothing else does.
pub const SECRET_MARK: &str = "hush-";

/// What keys from STS contain.
const ISSUED: [&str; 2] = ["issued-secret-", "issued-token-"];

/// Start of every signed `authorization` header.
const SIGNATURE: &str = "AWS4-HMAC";

/// Start of every short-term key, all of which is secret.
const SHORT_TERM: &str = "bedrock-api-key-";

/// Start of every channel secret.
const OF_A_CHANNEL: &str = "hush-secret-of-";

/// The same in base64, as bytes appear in dumps, at each possible offset. The characters at both ends are left
/// out, because they depend on the neighbouring bytes.
const ENCODED: [&str; 3] = [
    "aHVzaC1zZWNyZXQtb2Yt",
    "h1c2gtc2VjcmV0LW9mL",
    "odXNoLXNlY3JldC1vZi",
];

/// Longest part of a line that a fault shows.
const SHOWN: usize = 300;

/// A secret made of a name.
pub fn secret(name: &str) -> String {
    format!("{OF_A_CHANNEL}{name}")
}

/// Searches for secrets in a text that may show prompts.
///
/// # Errors
///
/// The line that contains one.
pub fn check(text: &str, place: &str) -> Result<(), String> {
    let hidden = secrets();
    text.lines()
        .try_for_each(|line| check_line(line.as_bytes(), &hidden, place))
}

/// Searches for secrets and prompts in a text that may show neither.
///
/// # Errors
///
/// The line that contains one.
pub fn check_silent(text: &str, place: &str) -> Result<(), String> {
    let hidden = everything();
    text.lines()
        .try_for_each(|line| check_line(line.as_bytes(), &hidden, place))
}

/// The same for a file of any size and content; returns its length in bytes.
///
/// # Errors
///
/// The line that contains one, or why the file cannot be read.
pub fn check_file(path: &Path) -> Result<u64, String> {
    let (hidden, place) = (everything(), path.display().to_string());
    let file = File::open(path).map_err(|error| format!("{place}: {error}"))?;
    let (mut reader, mut line, mut read) = (BufReader::new(file), Vec::new(), 0);
    loop {
        line.clear();
        let length = reader
            .read_until(b'\n', &mut line)
            .map_err(|error| format!("{place}: {error}"))?;
        if length == 0 {
            return Ok(read);
        }
        read += length as u64;
        check_line(&line, &hidden, &place)?;
    }
}

fn secrets() -> Vec<&'static str> {
    let key = SEAL_KEY.split_once(':').map_or(SEAL_KEY, |(_, key)| key);
    let own = [SECRET_MARK, ADMIN_TOKEN, key, SIGNATURE, SHORT_TERM];
    own.into_iter().chain(ISSUED).chain(ENCODED).collect()
}

fn everything() -> Vec<&'static str> {
    let mut all = secrets();
    all.push(PROMPT_MARK);
    all
}

fn check_line(line: &[u8], hidden: &[&str], place: &str) -> Result<(), String> {
    let found = hidden
        .iter()
        .find(|mark| memmem::find(line, mark.as_bytes()).is_some());
    found.map_or(Ok(()), |mark| {
        let shown = &line[..line.len().min(SHOWN)];
        Err(format!(
            "{place} contains {mark}: {}",
            String::from_utf8_lossy(shown)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::words;

    #[test]
    fn secrets_are_also_found_in_base64() {
        // The secret of channel `a`, alone, after `{` and after `{"`.
        for text in [
            "aHVzaC1zZWNyZXQtb2YtYQ==",
            "e2h1c2gtc2VjcmV0LW9mLWE=",
            "eyJodXNoLXNlY3JldC1vZi1h",
        ] {
            assert!(check(text, "a dump").is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_searched_whatever_they_contain() {
        let scratch = e2e::Scratch::new();
        let file = scratch.write("x.log", "");
        let mut bytes = vec![0xff; 100_000];
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(check_file(&file), Ok(100_000));
        bytes.extend(secret("a").into_bytes());
        bytes.extend([b'\n', 0xfe]);
        std::fs::write(&file, &bytes).unwrap();
        assert!(check_file(&file).unwrap_err().contains("x.log"));
        std::fs::remove_file(&file).unwrap();
        assert!(check_file(&file).is_err());
    }

    #[test]
    fn secrets_and_prompts_are_found_where_they_do_not_belong() {
        for text in [
            &secret("a"),
            ADMIN_TOKEN,
            "authorization: AWS4-HMAC-SHA256 Credential=",
            "authorization: Bearer bedrock-api-key-YmVkcm9jay4",
            r#""session_token": "issued-token-7""#,
        ] {
            let text = format!("one line\nanother with {text} in it");
            assert!(
                check(&text, "a log")
                    .unwrap_err()
                    .contains("a log contains")
            );
            assert!(check_silent(&text, "a log").is_err());
        }
        assert_eq!(check(&words(7), "an answer"), Ok(()));
        assert!(check_silent(&words(7), "a log").is_err());
        assert_eq!(check_silent("sealed:v1:e2e:AAAA", "a dump"), Ok(()));
    }
}
