//! The body of a request.

use serde_json::value::RawValue;

use super::betas::betas;
use super::blocks::Editor;
use super::facts::Facts;
use super::list::List;
use super::rules::{Rules, extra};
use super::thinking::{Plan, Thought};
use super::tools;
use crate::bedrock::ContextEdits;
use crate::catalog::{Model, Thinking as ThinkingRule};
use crate::chat::{Effort, EndUser, Error, Request, ThinkingMode, ToolChoice};
use crate::config::{AnthropicRules, Rule};
use crate::json::{PieceWriter, Pieces, Text};
use crate::protocol::anthropic_messages::Asked;

/// The version that every model takes. Newer ones only change what is refused.
const BEGINNING: &str = "{\"anthropic_version\":\"bedrock-2023-05-31\"";

/// How many bytes a body usually has more than the client's, at most.
const ROOM: usize = 512;

/// A request as Bedrock gets it.
#[derive(Debug)]
pub struct Encoded {
    /// The body; its spans are parts of the client's.
    pub body: Pieces,
    /// Members of the request that the model does not take and that were left out.
    pub left_out: Vec<String>,
}

/// Writes a request for a model that takes Anthropic's Messages.
///
/// # Errors
///
/// A 400 that names what Bedrock does not have, in the client's own words.
pub fn encode(
    asked: &Asked<'_>,
    head: &Request<'_>,
    model: Option<&'static Model>,
    rules: &AnthropicRules,
) -> Result<Encoded, Error> {
    let facts = Facts::of(model);
    let rules = Rules(rules);
    let plan = Plan::of(asked, head, facts)?;
    let capacity = ROOM + head.source.len().min(crate::json::MIN_SPAN);
    let mut out = PieceWriter::new(head.source, capacity);
    if asked.has_halves {
        out = out.repairing();
    }
    out.raw(BEGINNING);
    let mut writer = Writer {
        asked,
        head,
        facts,
        rules,
        plan,
        used: Vec::new(),
        left_out: Vec::new(),
    };
    writer.max_tokens(&mut out);
    for (name, value) in &asked.members {
        writer.member(name, value, &mut out)?;
    }
    let mut editor = Editor::new(rules, facts, asked);
    tools::write(asked, (rules, facts), &mut editor, &mut out)?;
    editor.system(asked, &mut out)?;
    editor.messages(asked, &mut out)?;
    let mut used = writer.used;
    used.append(&mut editor.betas);
    let betas = betas(&asked.betas, &used, rules);
    if !betas.is_empty() {
        let mut list = List::new(",\"anthropic_beta\":[");
        for name in &betas {
            list.next(&mut out);
            out.string(name);
        }
        list.end(&mut out);
    }
    out.raw("}");
    Ok(Encoded {
        body: out.into_pieces(),
        left_out: writer.left_out,
    })
}

/// Writes the members other than conversation and tools.
struct Writer<'w, 'a> {
    asked: &'w Asked<'a>,
    head: &'w Request<'a>,
    facts: Facts,
    rules: Rules<'w>,
    plan: Plan,
    /// Betas that the body needs.
    used: Vec<&'static str>,
    left_out: Vec<String>,
}

impl Writer<'_, '_> {
    /// The client's limit, but never more than the model can: asking for more is an error at Bedrock.
    fn max_tokens(&self, out: &mut PieceWriter<'_>) {
        let most = self.facts.max_output().unwrap_or(u32::MAX);
        let wanted = match self.head.max_output {
            // A request to count tokens has no limit, but a body without room for one is refused.
            None => self.plan.budget.saturating_add(1),
            Some(wanted) => wanted,
        };
        out.raw(&format!(",\"max_tokens\":{}", wanted.min(most)));
    }

    fn member(
        &mut self,
        name: &str,
        value: &RawValue,
        out: &mut PieceWriter<'_>,
    ) -> Result<(), Error> {
        let json = value.get();
        if json == "null" || name == "max_tokens" {
            return Ok(());
        }
        match self.rules.field(name) {
            Rule::Pass => {}
            Rule::Drop => return Ok(()),
            Rule::Refuse => return Err(extra(name)),
        }
        match name {
            "metadata" => self.metadata(out),
            "stop_sequences" => self.stops(json, out),
            "temperature" | "top_p" | "top_k" => {
                if self.plan.samples(name, self.head) {
                    member(name, json, out);
                } else {
                    self.left_out.push(name.to_owned());
                }
            }
            "tool_choice" => self.tool_choice(json, out),
            "thinking" => self.thinking(json, out),
            "output_config" => self.effort(out),
            "context_management" => self.context(value, out),
            "compaction" => {
                self.used.push("compact-2026-09-04");
                member(name, json, out);
            }
            "safeguards" => {
                self.used.push("dangerous-tool-use-2026-09-03");
                member(name, json, out);
            }
            _ => member(name, json, out),
        }
        Ok(())
    }

    fn metadata(&self, out: &mut PieceWriter<'_>) {
        if let Some(EndUser::Opaque(user)) = &self.head.user {
            out.raw(",\"metadata\":{\"user_id\":");
            out.text(user);
            out.raw("}");
        }
    }

    /// Bedrock refuses texts that are only white space.
    fn stops(&self, json: &str, out: &mut PieceWriter<'_>) {
        let stops = &self.head.stop;
        if stops.iter().all(|stop| !stop.is_blank()) {
            if !stops.is_empty() {
                member("stop_sequences", json, out);
            }
            return;
        }
        let mut list = List::new(",\"stop_sequences\":[");
        for stop in stops.iter().filter(|stop: &&Text<'_>| !stop.is_blank()) {
            list.next(out);
            out.text(stop);
        }
        list.end(out);
    }

    /// Without tools there is nothing to choose.
    fn tool_choice(&self, json: &str, out: &mut PieceWriter<'_>) {
        if self.asked.tools.1.is_empty() {
            return;
        }
        match self.head.tool_choice {
            // What it may say about parallel calls means nothing without any.
            ToolChoice::None => out.raw(",\"tool_choice\":{\"type\":\"none\"}"),
            _ => member("tool_choice", json, out),
        }
    }

    fn thinking(&mut self, json: &str, out: &mut PieceWriter<'_>) {
        let wish = self.head.reasoning.thinking.as_ref();
        let display = wish.and_then(|own| own.display.as_deref());
        let is_off = wish.is_some_and(|own| own.mode == ThinkingMode::Disabled);
        let object = match self.plan.thought {
            // There is nothing to show, and a word about it is refused.
            Thought::Same if is_off && display.is_some() => {
                return out.raw(",\"thinking\":{\"type\":\"disabled\"}");
            }
            Thought::Same if json.contains("between_tools") => "\"adaptive\"".to_owned(),
            Thought::Same => return member("thinking", json, out),
            Thought::Dropped => return self.left_out.push("thinking".to_owned()),
            Thought::Adaptive => "\"adaptive\"".to_owned(),
            Thought::Budget(tokens) => format!("\"enabled\",\"budget_tokens\":{tokens}"),
        };
        out.raw(",\"thinking\":{\"type\":");
        out.raw(&object);
        if let Some(display) = display {
            out.raw(",\"display\":");
            out.string(display);
        }
        out.raw("}");
    }

    fn effort(&mut self, out: &mut PieceWriter<'_>) {
        let Some(effort) = self.plan.effort else {
            if self.head.reasoning.effort.is_some() {
                self.left_out.push("output_config.effort".to_owned());
            }
            return;
        };
        const BETA: &str = "effort-2025-11-24";
        let is_named = self.asked.betas.iter().any(|own| own == BETA);
        if is_named || self.facts.thinking() == Some(ThinkingRule::Budget) {
            self.used.push(BETA);
        }
        let word = match effort {
            Effort::None | Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh => "xhigh",
            Effort::Max => "max",
        };
        out.raw(",\"output_config\":{\"effort\":");
        out.string(word);
        out.raw("}");
    }

    /// Bedrock refuses edits that it does not support, and edits next to `compaction`.
    fn context(&mut self, value: &RawValue, out: &mut PieceWriter<'_>) {
        let context = ContextEdits::of(value);
        if context.edits.is_empty() || self.asked.get("compaction").is_some() {
            self.left_out.push("context_management".to_owned());
            return;
        }
        self.used.extend(context.betas);
        let mut list = List::new(",\"context_management\":{\"edits\":[");
        for edit in &context.edits {
            list.next(out);
            out.raw(edit.get());
        }
        list.end(out);
        out.raw("}");
    }
}

fn member(name: &str, json: &str, out: &mut PieceWriter<'_>) {
    out.raw(",");
    out.string(name);
    out.raw(":");
    out.raw(json);
}
