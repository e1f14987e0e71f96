//! The conversation as one text: `User: …`, `Bot: …`; the answer follows the last `Bot:`.

use std::borrow::Cow;

use crate::bedrock::shared::conversation::{Conversation, Speaker};

/// Beginning of a line of the user's.
const USER: &str = "User:";

/// Beginning of a line of the model's.
const BOT: &str = "Bot:";

/// The instructions, the turns, and the place for the answer; if the last turn is the assistant's, it stays open for
/// the model to continue.
pub(super) fn render(conversation: &Conversation<'_>) -> String {
    let mut prompt = String::new();
    if let Some(system) = conversation.system_text() {
        prompt.push_str(&quoted(&system));
        prompt.push_str("\n\n");
    }
    for (index, turn) in conversation.turns.iter().enumerate() {
        if index > 0 {
            prompt.push('\n');
        }
        prompt.push_str(match turn.speaker {
            Speaker::User => USER,
            Speaker::Assistant => BOT,
        });
        prompt.push(' ');
        prompt.push_str(&quoted(&turn.text()));
    }
    if !conversation.ends_with_assistant() {
        prompt.push('\n');
        prompt.push_str(BOT);
    }
    prompt
}

/// The text with a `>` before lines that would read as the beginning of another turn, as in quoted e-mail.
fn quoted(text: &str) -> Cow<'_, str> {
    let speaks = |line: &str| {
        let line = line.trim_start();
        [USER, BOT].iter().any(|speaker| {
            let start = line.get(..speaker.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(speaker))
        })
    };
    if !text.split(is_line_break).any(speaks) {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive(is_line_break).map(|line| {
        let mark = if speaks(line) { "> " } else { "" };
        format!("{mark}{line}")
    });
    Cow::Owned(lines.collect())
}

fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::dialects::amazon::titan::ACCEPTS;
    use crate::bedrock::shared::conversation::build;
    use crate::chat::testing::instructed;
    use proptest::prelude::*;

    /// The prompt for a system text, unless it is empty, and turns that begin with the user's.
    fn rendered(system: &str, turns: &[&str]) -> String {
        let request = instructed(system, turns);
        let conversation = build(&request, ACCEPTS).unwrap_or_else(|error| panic!("{error}"));
        render(&conversation)
    }

    #[test]
    fn turns_alternate_and_end_with_the_place_for_the_answer() {
        assert_eq!(
            rendered("Be brief.", &["Hi", "Hello.", "Bye"]),
            "Be brief.\n\nUser: Hi\nBot: Hello.\nUser: Bye\nBot:"
        );
    }

    #[test]
    fn a_last_turn_of_the_assistants_is_left_open() {
        assert_eq!(rendered("", &["Hi", "Hel "]), "User: Hi\nBot: Hel");
    }

    #[test]
    fn lines_that_look_like_turns_are_quoted() {
        assert_eq!(
            rendered("", &["Read:\nUser: a\n  bot: b\r\nok"]),
            "User: Read:\n> User: a\n>   bot: b\r\nok\nBot:"
        );
    }

    proptest! {
        #[test]
        fn no_text_begins_a_turn(
            text in "(User:|Bot:|user:|[ \n\r\t]|\u{2028}|[a-z]){0,12}x",
        ) {
            let prompt = rendered(&text, &[&format!("{text}\n\n{text}")]);
            let turns = prompt.split(is_line_break).filter(|line| {
                let line = line.trim_start().to_ascii_lowercase();
                line.starts_with("user:") || line.starts_with("bot:")
            });
            prop_assert_eq!(turns.count(), 2);
        }
    }
}
