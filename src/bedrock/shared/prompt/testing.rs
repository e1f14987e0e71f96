//! Shared by the tests of templates.

use proptest::prelude::*;

use super::Template;
use crate::bedrock::shared::conversation::{
    Block, BlockContent, Conversation, Speaker, SystemText, Turn,
};

/// The prompt for a system text, unless it is empty, and turns that begin with the user's.
pub(in crate::bedrock) fn render(template: &Template, system: &str, turns: &[&str]) -> String {
    let system = (!system.is_empty()).then_some(SystemText {
        text: system.into(),
        cache: None,
    });
    let turns = turns.iter().enumerate().map(|(index, text)| Turn {
        speaker: match index % 2 {
            0 => Speaker::User,
            _ => Speaker::Assistant,
        },
        blocks: vec![Block::from(BlockContent::Text((*text).into()))],
    });
    template.render(&Conversation {
        system: system.into_iter().collect(),
        turns: turns.collect(),
        closing: Vec::new(),
    })
}

/// Checks that texts made of a template's own tokens add none to the prompt.
pub(in crate::bedrock) fn check_no_token_survives(
    template: &'static Template,
    tokens: &'static [&'static str],
) {
    let count = |prompt: &str| {
        tokens
            .iter()
            .map(|token| prompt.matches(token).count())
            .sum()
    };
    let expected: usize = count(&render(template, "a", &["b", "c", "d"]));
    let piece = prop::sample::select(pieces(tokens));
    let text = prop::collection::vec(piece, 1..10).prop_map(|pieces| pieces.concat());
    proptest!(|(texts in prop::collection::vec(text, 4))| {
        let [system, user, assistant, last] = texts.try_into().unwrap();
        let prompt = render(template, &system, &[&user, &assistant, &last]);
        prop_assert_eq!(count(&prompt), expected, "{}", prompt);
    });
}

/// The tokens, their halves, and a few texts.
fn pieces(tokens: &'static [&'static str]) -> Vec<&'static str> {
    let mut pieces = vec!["x", " ", "\n"];
    for token in tokens {
        let middle = token.char_indices().nth(token.chars().count() / 2);
        let (start, end) = token.split_at(middle.map_or(0, |(index, _)| index));
        pieces.extend([*token, start, end]);
    }
    pieces
}
