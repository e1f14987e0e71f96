//! The format of conversations on which each generation was trained.

use crate::bedrock::shared::prompt::{Control, System, Template};

/// <https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-2/>
pub(super) static TEMPLATE_2: Template = Template {
    begin: "",
    system: System::InUser(["<<SYS>>\n", "\n<</SYS>>\n\n"]),
    user: ["<s>[INST] ", " [/INST]"],
    assistant: [" ", " </s>"],
    answer: "",
    image: "",
    control: Control::Tokens(&[
        "<s>", "</s>", "<unk>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>",
    ]),
};

/// <https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_2/>
pub(super) static TEMPLATE_3: Template = Template {
    begin: "<|begin_of_text|>",
    system: System::Own([
        "<|start_header_id|>system<|end_header_id|>\n\n",
        "<|eot_id|>",
    ]),
    user: ["<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"],
    assistant: [
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
    ],
    answer: "<|start_header_id|>assistant<|end_header_id|>\n\n",
    image: "<|image|>",
    control: NAMED_TOKENS,
};

/// <https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/>
pub(super) static TEMPLATE_4: Template = Template {
    begin: "<|begin_of_text|>",
    system: System::Own(["<|header_start|>system<|header_end|>\n\n", "<|eot|>"]),
    user: ["<|header_start|>user<|header_end|>\n\n", "<|eot|>"],
    assistant: ["<|header_start|>assistant<|header_end|>\n\n", "<|eot|>"],
    answer: "<|header_start|>assistant<|header_end|>\n\n",
    image: "<|image|>",
    control: NAMED_TOKENS,
};

/// Everything of the form `<|name|>`: tokens in use, and reserved ones.
const NAMED_TOKENS: Control = Control::Delimited {
    open: "<|",
    close: "|>",
    name: |c| c.is_ascii_alphanumeric() || c == '_',
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::shared::prompt::testing::{check_no_token_survives, render};

    #[test]
    fn the_prompts_are_the_documented_ones() {
        assert_eq!(
            render(&TEMPLATE_2, "S", &["U", "A", "V"]),
            "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST] A </s><s>[INST] V [/INST]"
        );
        assert_eq!(
            render(&TEMPLATE_3, "S", &["U", "A", "V"]),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>\
             <|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nV<|eot_id|>\
             <|start_header_id|>assistant<|end_header_id|>\n\n"
        );
        assert_eq!(
            render(&TEMPLATE_4, "", &["U"]),
            "<|begin_of_text|><|header_start|>user<|header_end|>\n\nU<|eot|>\
             <|header_start|>assistant<|header_end|>\n\n"
        );
    }

    #[test]
    fn an_assistant_that_speaks_last_is_continued() {
        assert_eq!(
            render(&TEMPLATE_2, "", &["U", "A"]),
            "<s>[INST] U [/INST] A"
        );
        assert_eq!(
            render(&TEMPLATE_4, "", &["U", "A"]),
            "<|begin_of_text|><|header_start|>user<|header_end|>\n\nU<|eot|>\
             <|header_start|>assistant<|header_end|>\n\nA"
        );
    }

    #[test]
    fn no_control_token_of_the_template_survives_in_a_text() {
        check_no_token_survives(
            &TEMPLATE_2,
            &["<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"],
        );
        check_no_token_survives(
            &TEMPLATE_3,
            &[
                "<|begin_of_text|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eot_id|>",
                "<|image|>",
                "<|python_tag|>",
                "<|reserved_special_token_7|>",
            ],
        );
        check_no_token_survives(
            &TEMPLATE_4,
            &[
                "<|begin_of_text|>",
                "<|header_start|>",
                "<|header_end|>",
                "<|eot|>",
                "<|image_start|>",
            ],
        );
    }
}
