//! Prompts for models without a format of their own: a single question without labels, a conversation with them.

use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::prompt::{Control, System, Template};

/// Begins the user's next turn, which the model must not write itself.
pub(in crate::bedrock) const USER: &str = "\nUser:";

static TEMPLATE: Template = Template {
    begin: "",
    system: System::Own(["", "\n"]),
    user: ["\nUser: ", ""],
    assistant: ["\nChatbot: ", ""],
    answer: "\nChatbot:",
    image: "",
    control: Control::Labels(&[("\n", "User:"), ("\n", "Chatbot:")]),
};

/// The prompt, and the text that ends the answer if the prompt has labels.
pub(in crate::bedrock) fn prompt(
    conversation: &Conversation<'_>,
) -> (String, Option<&'static str>) {
    if let [turn] = conversation.turns.as_slice() {
        let mut texts = Vec::from_iter(conversation.system_text());
        texts.push(turn.text().to_string());
        return (texts.join("\n\n"), None);
    }
    let prompt = TEMPLATE.render(conversation);
    (prompt.trim_start().to_owned(), Some(USER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::shared::prompt::testing::{check_no_token_survives, render};

    #[test]
    fn a_conversation_has_labels() {
        assert_eq!(
            render(&TEMPLATE, "S", &["U", "A", "V"]),
            "S\n\nUser: U\nChatbot: A\nUser: V\nChatbot:"
        );
    }

    #[test]
    fn no_text_can_pose_as_a_turn() {
        check_no_token_survives(&TEMPLATE, &["\nUser:", "\nChatbot:"]);
    }
}
