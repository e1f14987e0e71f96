//! Meta Llama 2, 3 and 4: a prompt in the template of the generation.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html>

mod template;

use serde_json::{Value, json};

use self::template::{Prompt, Template};
use super::ask::{Ask, words};
use super::schema::{FILLED, FRACTION, Key, MAY, MUST, Shape};
use super::{Answer, Dialect, Overrides, field, image, list, number, pieces};
use crate::catalog::Model;
use crate::error::AwsError;

/// One generation of Llama.
pub(crate) enum Llama {
    Two,
    Three,
    Four,
}

const KEYS: [Key; 3] = [
    ("prompt", MUST, FILLED),
    ("temperature", MAY, FRACTION),
    ("top_p", MAY, FRACTION),
];
const SHORT: Key = ("max_gen_len", MAY, Shape::Integer(1, 2048));
const LONG: Key = ("max_gen_len", MAY, Shape::Integer(1, 8192));
const IMAGES: Key = ("images", MAY, Shape::List(1, usize::MAX, &FILLED));
const TEXT_BODY: Shape = Shape::Object(&[KEYS[0], KEYS[1], KEYS[2], SHORT]);
const VISION_BODY: Shape = Shape::Object(&[KEYS[0], KEYS[1], KEYS[2], SHORT, IMAGES]);
const FOUR_BODY: Shape = Shape::Object(&[KEYS[0], KEYS[1], KEYS[2], LONG, IMAGES]);

impl Dialect for Llama {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        let shape = match self {
            Self::Four => FOUR_BODY,
            _ if model.can("image") => VISION_BODY,
            _ => TEXT_BODY,
        };
        shape.check_invoke(body)?;
        let prompt = self
            .template()
            .parse(field(body, "prompt").unwrap_or_default());
        let prompt = prompt.map_err(|why| {
            AwsError::validation(format!("The prompt does not follow the template: {why}"))
        })?;
        let images = list(body, "images");
        if prompt.images != images.len() {
            return Err(AwsError::validation(format!(
                "The prompt has {} image tokens, but there are {} images.",
                prompt.images,
                images.len()
            )));
        }
        let known = |text: &Value| {
            let bytes = text.as_str().and_then(image::decode);
            bytes.is_some_and(|bytes| image::sniff(&bytes).is_some())
        };
        match images.iter().all(known) {
            true => Ok(()),
            false => Err(AwsError::validation("images: Could not process image")),
        }
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let parsed = self.template().parse(prompt).unwrap_or_default();
        // The template ends the header with line breaks, and models repeat them.
        let lead = if parsed.begun { " " } else { "\n\n" };
        let reply = ask(body, parsed).reply(overrides);
        let text = format!("{lead}{}", reply.text.as_deref().unwrap_or_default());
        let stop = reply.stop.word(["stop", "length", "stop"]);
        Answer {
            body: json!({
                "generation": text,
                "prompt_token_count": reply.input_tokens,
                "generation_token_count": reply.output_tokens,
                "stop_reason": stop,
            }),
            events: events(&text, (reply.input_tokens, reply.output_tokens), stop),
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

impl Llama {
    fn template(&self) -> Template {
        match self {
            Self::Two => Template::Two,
            Self::Three => Template::Three,
            Self::Four => Template::Four,
        }
    }
}

fn ask(body: &Value, prompt: Prompt) -> Ask {
    let mut ask = Ask {
        said: prompt.said,
        results: prompt.results,
        max_tokens: number(body, "max_gen_len"),
        input_tokens: words(field(body, "prompt").unwrap_or_default()),
        ..Ask::default()
    };
    for data in list(body, "images").iter().filter_map(Value::as_str) {
        let bytes = image::decode(data).unwrap_or_default();
        ask.see(image::sniff(&bytes).unwrap_or("image"), data);
    }
    ask
}

/// The prompt is counted in the first chunk; the other count grows.
fn events(text: &str, (input, output): (u64, u64), stop: &str) -> Vec<Value> {
    let chunk = |text: &str, prompt: Value, count: u64, stop: Value| {
        json!({"generation": text, "prompt_token_count": prompt,
            "generation_token_count": count, "stop_reason": stop})
    };
    let mut events = vec![chunk("", json!(input), 0, Value::Null)];
    let mut count = 0;
    for piece in pieces::of_text(text) {
        count = output.min(count + words(piece));
        events.push(chunk(piece, Value::Null, count, Value::Null));
    }
    events.push(chunk("", Value::Null, output, json!(stop)));
    events
}
