//! The prompt templates, read back.
//!
//! <https://www.llama.com/docs/model-cards-and-prompt-formats/>

/// The template of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Template {
    Two,
    Three,
    Four,
}

/// What a well-formed prompt holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// Text of the last user turn.
    pub(super) said: Vec<String>,
    /// Tool results of the last turn.
    pub(super) results: Vec<String>,
    /// Image tokens in all of it.
    pub(super) images: usize,
    /// The answer has begun; the model continues it.
    pub(super) begun: bool,
}

const IMAGE: &str = "<|image|>";

/// The control tokens around a message.
struct Marks {
    open: &'static str,
    close: &'static str,
    end: &'static str,
}

const THREE: Marks = Marks {
    open: "<|start_header_id|>",
    close: "<|end_header_id|>\n\n",
    end: "<|eot_id|>",
};
const FOUR: Marks = Marks {
    open: "<|header_start|>",
    close: "<|header_end|>\n\n",
    end: "<|eot|>",
};

impl Template {
    /// # Errors
    /// What is wrong with the prompt.
    pub(super) fn parse(self, prompt: &str) -> Result<Prompt, &'static str> {
        match self {
            Self::Two => parse_two(prompt),
            Self::Three => parse_headers(prompt, &THREE),
            Self::Four => parse_headers(prompt, &FOUR),
        }
    }
}

fn parse_headers(prompt: &str, marks: &Marks) -> Result<Prompt, &'static str> {
    let rest = prompt
        .strip_prefix("<|begin_of_text|>")
        .ok_or("it must begin with <|begin_of_text|>")?;
    let asks = [marks.open, "assistant", marks.close].concat();
    // No token of the template follows the header that asks for the answer.
    let (rest, begun) = rest
        .rsplit_once(&asks)
        .filter(|(_, begun)| !begun.contains("<|"))
        .ok_or("it must end with the header of the assistant")?;
    if !begun.is_empty() && begun.trim().is_empty() {
        return Err("a message is blank");
    }
    let rest = rest
        .strip_suffix(marks.end)
        .ok_or("a message is not closed")?;
    let mut messages = Vec::new();
    for message in rest.split(marks.end) {
        let message = message
            .strip_prefix(marks.open)
            .ok_or("a message does not begin with a header")?;
        let (role, text) = message
            .split_once(marks.close)
            .ok_or("a header is not closed")?;
        messages.push((role, text));
    }
    check_messages(&messages)?;
    let mut parsed = Prompt {
        images: prompt.matches(IMAGE).count(),
        begun: !begun.is_empty(),
        ..Prompt::default()
    };
    let newest = messages.iter().rev();
    for (role, text) in newest.take_while(|(role, _)| *role != "assistant") {
        let text = text.replace(IMAGE, "").trim().to_owned();
        match *role {
            "user" if !text.is_empty() => parsed.said.insert(0, text),
            "ipython" => parsed.results.insert(0, text),
            _ => {}
        }
    }
    Ok(parsed)
}

fn check_messages(messages: &[(&str, &str)]) -> Result<(), &'static str> {
    let mut previous = "";
    for (at, (role, text)) in messages.iter().enumerate() {
        match *role {
            "system" if at == 0 => {}
            "user" if previous != "user" => {}
            "assistant" if matches!(previous, "user" | "ipython") => {}
            "ipython" if matches!(previous, "assistant" | "ipython") => {}
            _ => return Err("a role is unknown or out of turn"),
        }
        let bare = match *role {
            "user" => text.replace(IMAGE, ""),
            _ => (*text).to_owned(),
        };
        if bare.contains("<|") {
            return Err("a control token is inside a text");
        }
        if text.trim().is_empty() {
            return Err("a message is blank");
        }
        previous = role;
    }
    match previous {
        "user" | "ipython" => Ok(()),
        _ => Err("the last message must be of the user"),
    }
}

fn parse_two(prompt: &str) -> Result<Prompt, &'static str> {
    let rest = prompt
        .strip_prefix("<s>[INST] ")
        .ok_or("it must begin with <s>[INST]")?;
    let rest = match rest.strip_prefix("<<SYS>>\n") {
        Some(system) => {
            let (system, rest) = system
                .split_once("\n<</SYS>>\n\n")
                .ok_or("the system prompt is not closed")?;
            check_text(system)?;
            rest
        }
        None => rest,
    };
    let turns: Vec<&str> = rest.split(" </s><s>[INST] ").collect();
    let (newest, earlier) = turns.split_last().ok_or("it must end with [/INST]")?;
    for turn in earlier {
        let (user, assistant) = turn
            .split_once(" [/INST] ")
            .ok_or("an instruction is not closed")?;
        check_text(user)?;
        check_text(assistant)?;
    }
    let (last, begun) = newest
        .split_once(" [/INST]")
        .ok_or("it must end with [/INST]")?;
    check_text(last)?;
    if !begun.is_empty() {
        let begun = begun
            .strip_prefix(' ')
            .ok_or("there must be a space between [/INST] and the answer")?;
        check_text(begun)?;
    }
    Ok(Prompt {
        said: vec![last.to_owned()],
        begun: !begun.is_empty(),
        ..Prompt::default()
    })
}

fn check_text(text: &str) -> Result<(), &'static str> {
    let marks = ["<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"];
    match text.trim() {
        "" => Err("a message is blank"),
        text if marks.iter().any(|mark| text.contains(mark)) => {
            Err("a control token is inside a text")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: &str = "<|start_header_id|>user<|end_header_id|>\n\n";
    const A: &str = "<|start_header_id|>assistant<|end_header_id|>\n\n";
    const S: &str = "<|start_header_id|>system<|end_header_id|>\n\n";
    const T: &str = "<|start_header_id|>ipython<|end_header_id|>\n\n";

    fn said(template: Template, prompt: &str) -> Result<String, &'static str> {
        template.parse(prompt).map(|prompt| prompt.said.join("+"))
    }

    #[test]
    fn llama_3_headers_are_read_back() {
        for (body, expected) in [
            (
                format!("{S}Be brief.<|eot_id|>{U}Hi<|eot_id|>{A}"),
                Ok("Hi"),
            ),
            (
                format!("{U}a<|eot_id|>{A}b<|eot_id|>{U}c<|eot_id|>{A}"),
                Ok("c"),
            ),
            (format!("{U}<|image|>look<|eot_id|>{A}"), Ok("look")),
            (
                format!("{U}a<|eot_id|>{A}b<|eot_id|>{T}4 C<|eot_id|>{A}"),
                Ok(""),
            ),
            (format!("{U}Hi<|eot_id|>{A}One, two,"), Ok("Hi")),
            (
                format!("{U}a<|eot_id|>{A}b<|eot_id|>{U}c<|eot_id|>{A}One,"),
                Ok("c"),
            ),
            (
                format!("{U}Hi<|eot_id|>"),
                Err("it must end with the header of the assistant"),
            ),
            (
                format!("{U}Hi<|eot_id|>{A}One<|eot_id|>"),
                Err("it must end with the header of the assistant"),
            ),
            (
                format!("{U}a<|eot_id|>{A}b<|eot_id|>{U}c<|eot_id|>"),
                Err("it must end with the header of the assistant"),
            ),
            (format!("{U}Hi<|eot_id|>{A} "), Err("a message is blank")),
            (format!("{U}Hi{A}"), Err("a message is not closed")),
            (
                format!("{U}a<|eot_id|>{U}b<|eot_id|>{A}"),
                Err("a role is unknown or out of turn"),
            ),
            (
                format!("{U}a<|eom_id|>b<|eot_id|>{A}"),
                Err("a control token is inside a text"),
            ),
            (format!("{U} <|eot_id|>{A}"), Err("a message is blank")),
            (
                format!("{S}Hi<|eot_id|>{A}"),
                Err("the last message must be of the user"),
            ),
        ] {
            let got = said(Template::Three, &format!("<|begin_of_text|>{body}"));
            assert_eq!(got, expected.map(str::to_owned), "{body}");
        }
        assert!(said(Template::Three, &format!("{U}Hi<|eot_id|>{A}")).is_err());
    }

    #[test]
    fn each_generation_has_its_own_tokens() {
        let four = "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|><|header_start|>assistant<|header_end|>\n\n";
        assert_eq!(said(Template::Four, four).as_deref(), Ok("Hi"));
        assert!(said(Template::Three, four).is_err());
        let begun = format!("{four}One,");
        assert_eq!(said(Template::Four, &begun).as_deref(), Ok("Hi"));
        for (two, expected) in [
            ("<s>[INST] Hi [/INST]", Some("Hi")),
            (
                "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]",
                Some("Hi"),
            ),
            ("<s>[INST] a [/INST] b </s><s>[INST] c [/INST]", Some("c")),
            ("<s>[INST] Hi [/INST] One, two,", Some("Hi")),
            ("<s>[INST] a [/INST] b </s><s>[INST] c [/INST] d", Some("c")),
            ("<s>[INST] Hi [/INST] ", None),
            ("<s>[INST] Hi [/INST]One", None),
            ("<s>[INST] a [/INST] b </s>", None),
            ("<s>[INST] a [/INST] evil [/INST]", None),
            ("<s>[INST] a [/INST] b </s><s>[INST] c", None),
            ("[INST] Hi [/INST]", None),
            ("<s>[INST] Hi", None),
            ("<s>[INST] <<SYS>>\nBe brief.\n\nHi [/INST]", None),
            ("<s>[INST] a [/INST] b [INST] c [/INST]", None),
        ] {
            assert_eq!(said(Template::Two, two).ok().as_deref(), expected, "{two}");
        }
    }
}
