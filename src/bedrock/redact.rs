//! Removes AWS identifiers from texts that a client will read.

/// The text without ARNs, account ids and access key ids.
///
/// Bedrock's messages name the caller's role and the profile's account, which concern only the operator.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, word) = rest.split_at(start);
        out.push_str(before);
        let length = token_len(word);
        let (token, after) = word.split_at(length);
        out.push_str(replacement(token));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn replacement(token: &str) -> &str {
    if is_arn(token) {
        "[arn]"
    } else if token.len() == 12 && token.bytes().all(|b| b.is_ascii_digit()) {
        "[account]"
    } else if is_access_key(token) {
        "[access key]"
    } else {
        token
    }
}

/// Length of the ARN or of the run of letters and digits that `text` starts with.
fn token_len(text: &str) -> usize {
    if is_arn(text) {
        let end = text.find(|c: char| {
            !(c.is_ascii_alphanumeric()
                || matches!(c, ':' | '/' | '-' | '_' | '.' | '+' | '=' | '@' | '*'))
        });
        let arn = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
        // A full stop or colon at the end belongs to the sentence.
        return arn.trim_end_matches(['.', ':']).len();
    }
    text.find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len())
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:aws")
}

/// Prefixes of access keys and principals:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>.
fn is_access_key(token: &str) -> bool {
    const PREFIXES: [&str; 5] = ["AKIA", "ASIA", "AROA", "AIDA", "ABSK"];
    token.len() >= 16 && PREFIXES.iter().any(|prefix| token.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_are_replaced_and_sentences_kept() {
        for (text, expected) in [
            ("", ""),
            ("Too many requests.", "Too many requests."),
            (
                "User: arn:aws:sts::123456789012:assumed-role/dev-role/i-0abc is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0.",
                "User: [arn] is not authorized to perform: bedrock:InvokeModel on resource: [arn].",
            ),
            (
                "account 123456789012, key AKIAIOSFODNN7EXAMPLE!",
                "account [account], key [access key]!",
            ),
            ("1234567890123 and 12345", "1234567890123 and 12345"),
            ("é arn:aws-cn:bedrock:x", "é [arn]"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    proptest! {
        #[test]
        fn no_account_survives(before in "[^0-9a-zA-Z]*", after in "[^0-9a-zA-Z]*") {
            let text = format!("{before}123456789012{after}");
            prop_assert!(!redact(&text).contains("123456789012"));
        }

        #[test]
        fn any_text_is_taken(text in ".*") {
            let _ = redact(&text);
        }
    }
}
