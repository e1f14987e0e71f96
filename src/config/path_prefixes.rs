//! Where clients find the endpoints.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Fault;

/// Where the endpoints always are.
const V1: &str = "/v1";

/// The segment of a prefix that is the name of the model.
const MODEL: &str = "{model}";

/// Longest prefix, in bytes.
const MAX_LEN: usize = 200;

/// Most prefixes: each is compared with the path of every request.
const MAX_PREFIXES: usize = 16;

/// Prefixes of paths below which the endpoints are served, besides `/v1`.
///
/// `/openai/v1` serves `/openai/v1/chat/completions`, `/` serves `/chat/completions`, and
/// `/openai/deployments/{model}` serves `/openai/deployments/claude/chat/completions` with `claude` as the model, as
/// Azure's clients ask: <https://learn.microsoft.com/azure/ai-services/openai/reference>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct PathPrefixes(Vec<PathPrefix>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct PathPrefix(String);

/// What of a path is below a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BelowPrefix<'p> {
    /// The name of the model, where the prefix has it; still percent-encoded.
    pub model: Option<&'p str>,
    /// The rest, from its slash on.
    pub rest: &'p str,
}

/// A text that cannot be a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `/`, or segments of letters, digits and `-._~` with a `/` before each and none at the end, such as \
     `/openai/v1`; one of them may be `{{model}}`"
)]
pub struct InvalidPathPrefix;

impl PathPrefixes {
    /// What of a path is below `/v1`, and below each of the prefixes that it begins with.
    pub fn below<'p>(&self, path: &'p str) -> impl Iterator<Item = BelowPrefix<'p>> {
        let rest = strip(path, V1);
        let own = rest.map(|rest| BelowPrefix { model: None, rest });
        let others = self.0.iter().filter_map(move |prefix| prefix.below(path));
        own.into_iter().chain(others)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &PathPrefix> {
        self.0.iter()
    }

    /// Whether there are none, which need not be said: an older filter does not know the field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with them.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        const FIELD: &str = "/path_prefixes";
        if self.0.len() > MAX_PREFIXES {
            let reason = format!("are {} prefixes; name at most {MAX_PREFIXES}", self.0.len());
            return vec![Fault::new(FIELD, "too_many_path_prefixes", reason)];
        }
        let wrong = self.0.iter().enumerate();
        let wrong = wrong.filter(|(_, prefix)| !is_prefix(&prefix.0));
        wrong
            .map(|(index, _)| {
                let pointer = format!("{FIELD}/{index}");
                Fault::new(
                    pointer,
                    "invalid_path_prefix",
                    InvalidPathPrefix.to_string(),
                )
            })
            .collect()
    }
}

impl FromIterator<PathPrefix> for PathPrefixes {
    fn from_iter<I: IntoIterator<Item = PathPrefix>>(prefixes: I) -> Self {
        Self(prefixes.into_iter().collect())
    }
}

impl PathPrefix {
    /// Around the name of the model, if it has it; else all of it, without a closing slash.
    #[must_use]
    pub fn parts(&self) -> (&str, Option<&str>) {
        match self.0.split_once(MODEL) {
            Some((before, after)) => (before, Some(after)),
            None => (self.0.trim_end_matches('/'), None),
        }
    }

    fn below<'p>(&self, path: &'p str) -> Option<BelowPrefix<'p>> {
        let (before, after) = self.parts();
        let Some(after) = after else {
            let rest = strip(path, before)?;
            return Some(BelowPrefix { model: None, rest });
        };
        let rest = path.strip_prefix(before)?;
        let (model, rest) = rest.split_at(rest.find('/')?);
        let rest = strip(rest, after).filter(|_| !model.is_empty())?;
        let model = Some(model);
        Some(BelowPrefix { model, rest })
    }
}

impl FromStr for PathPrefix {
    type Err = InvalidPathPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPathPrefix> {
        let own = is_prefix(text).then(|| Self(text.to_owned()));
        own.ok_or(InvalidPathPrefix)
    }
}

/// What follows a prefix, if it ends where a segment does.
fn strip<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    path.strip_prefix(prefix)
        .filter(|rest| rest.starts_with('/'))
}

/// Whether Envoy would leave it as it is: nothing that is normalised, encoded or a pattern.
fn is_prefix(text: &str) -> bool {
    let Some(segments) = text.strip_prefix('/') else {
        return false;
    };
    let names = segments.split('/').filter(|segment| *segment == MODEL);
    text == "/"
        || (text.len() <= MAX_LEN
            && names.count() <= 1
            && segments
                .split('/')
                .all(|own| own == MODEL || is_segment(own)))
}

fn is_segment(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(text, "" | "." | "..") && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(texts: &[&str]) -> PathPrefixes {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// The model and the rest below each prefix of a path.
    #[track_caller]
    fn check(path: &str, expected: &[(Option<&str>, &str)]) {
        let all = prefixes(&[
            "/",
            "/openai/v1",
            "/openai/deployments/{model}",
            "/{model}/api",
        ]);
        let found = all.below(path).map(|own| (own.model, own.rest));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{path}");
    }

    #[test]
    fn a_path_is_below_every_prefix_that_it_begins_with() {
        let chat = "/chat/completions";
        check(
            "/v1/chat/completions",
            &[(None, chat), (None, "/v1/chat/completions")],
        );
        check(chat, &[(None, chat)]);
        check(
            "/openai/v1/models",
            &[(None, "/openai/v1/models"), (None, "/models")],
        );
        check(
            "/openai/deployments/a%2Fb/chat/completions",
            &[
                (None, "/openai/deployments/a%2Fb/chat/completions"),
                (Some("a%2Fb"), chat),
            ],
        );
        check(
            "/m/api/models",
            &[(None, "/m/api/models"), (Some("m"), "/models")],
        );
        for path in [
            "/openai/deployments//models",
            "/openai/deployments/m",
            "/m/apis/models",
        ] {
            check(path, &[(None, path)]);
        }
        check("/v1", &[(None, "/v1")]);
        check("v1/models", &[]);
        let none = PathPrefixes::default();
        assert_eq!(none.below("/v12/models").count(), 0);
        assert_eq!(none.below(chat).count(), 0);
    }

    #[test]
    fn what_a_path_cannot_begin_with_is_refused() {
        for text in [
            "",
            "v1",
            "/v1/",
            "//",
            "/a//b",
            "/a b",
            "/a?b",
            "/a%2f",
            "/a/../b",
            "/.",
            "/*",
            "/{name}",
            "/x{model}",
            "/{model}/{model}",
            "/ä",
        ] {
            assert!(text.parse::<PathPrefix>().is_err(), "{text}");
            let all = PathPrefixes(vec![
                PathPrefix("/a".to_owned()),
                PathPrefix(text.to_owned()),
            ]);
            let faults = all.faults();
            assert_eq!(faults[0].pointer, "/path_prefixes/1", "{text}");
            assert!(faults[0].message.contains("`{model}`"), "{}", faults[0]);
        }
        assert_eq!(prefixes(&["/", "/a-b_c.d~", "/{model}"]).faults(), []);
        let many = PathPrefixes(vec![PathPrefix("/a".to_owned()); 17]);
        assert_eq!(many.faults()[0].code, "too_many_path_prefixes");
    }
}
