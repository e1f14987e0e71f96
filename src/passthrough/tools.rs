//! The tools: which are passed on, and which parts of them.

use super::blocks::Editor;
use super::facts::Facts;
use super::known::write_value;
use super::list::List;
use super::marks::{Mark, write_mark};
use super::rules::Rules;
use crate::chat::{Definition, Error};
use crate::config::Rule;
use crate::json::PieceWriter;
use crate::protocol::anthropic_messages::{Asked, Member, Object, Value, no_such_tool};

/// Members that the model servers know in a tool with a schema.
const MEMBERS: [&str; 5] = [
    "type",
    "name",
    "description",
    "input_schema",
    "cache_control",
];

/// Tools that the models were trained for, by the prefixes of their types, and the betas that they need.
const NEEDS: [(&str, &str); 5] = [
    ("computer_20241022", "computer-use-2024-10-22"),
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("bash_20241022", "computer-use-2024-10-22"),
    ("text_editor_20241022", "computer-use-2024-10-22"),
];

/// The beta for searching tools, which the tool that searches needs.
const SEARCH: (&str, &str) = ("tool_search_tool_", "tool-search-tool-2025-10-19");

/// The beta that takes the place of `eager_input_streaming`.
const EAGER: &str = "fine-grained-tool-streaming-2025-05-14";

/// Whether the model searches for tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// It has all of them from the start.
    None,
    /// With a tool for that, which loads those that are deferred.
    ByTool,
}

/// Writes the tools that are passed on.
///
/// # Errors
///
/// A 400 that names the tool that Bedrock does not have.
pub(super) fn write(
    asked: &Asked<'_>,
    (rules, facts): (Rules<'_>, Facts),
    editor: &mut Editor<'_>,
    out: &mut PieceWriter<'_>,
) -> Result<(), Error> {
    let (json, tools) = &asked.tools;
    let search = if facts.searches_tools() && tools.iter().any(is_search) {
        Search::ByTool
    } else {
        Search::None
    };
    let before = editor.marks.passed();
    let mut is_same = !tools.is_empty() && !json.is_empty();
    for (index, tool) in tools.iter().enumerate() {
        is_same &= goes_on(tool, index, rules, search)? && is_as_written(tool, search, editor);
    }
    if is_same {
        out.raw(",\"tools\":");
        out.raw(json);
        return Ok(());
    }
    editor.marks.pass_again(before);
    let mut list = List::new(",\"tools\":[");
    for (index, tool) in tools.iter().enumerate() {
        if !goes_on(tool, index, rules, search)? {
            editor.marks.next(tool);
            continue;
        }
        list.next(out);
        let start = editor.marks.passed();
        if is_as_written(tool, search, editor) {
            out.raw(tool.json);
        } else {
            editor.marks.pass_again(start);
            write_tool(tool, search, editor, out);
        }
    }
    list.end(out);
    Ok(())
}

fn is_search(tool: &Object<'_>) -> bool {
    tool.kind().starts_with(SEARCH.0)
}

/// Whether a tool goes on at all.
///
/// # Errors
///
/// A 400 at one that Bedrock does not have.
pub(super) fn goes_on(
    tool: &Object<'_>,
    index: usize,
    rules: Rules<'_>,
    search: Search,
) -> Result<bool, Error> {
    let kind = match tool.kind() {
        "" => "custom",
        kind => kind,
    };
    match rules.tool(kind) {
        // Without a tool that searches, all tools are loaded from the start.
        Rule::Pass => Ok(search == Search::ByTool || !is_search(tool)),
        Rule::Drop => Ok(false),
        Rule::Refuse => Err(no_such_tool(kind, index)),
    }
}

/// The beta that a tool needs.
pub(super) fn needed(tool: &Object<'_>) -> Option<&'static str> {
    let kind = tool.kind();
    let found = NEEDS.iter().find(|(start, _)| kind.starts_with(start));
    found.map(|(_, beta)| *beta)
}

/// Those members of a tool that the model was made for which are passed on, without its cache mark.
pub(super) fn definition<'a>(tool: &Object<'a>) -> Definition<'a> {
    let goes = |own: &&Member<'a>| {
        own.name != "cache_control"
            && is_known(tool, &own.name, Search::None)
            && !own.value.is_null()
    };
    let members = tool.members.iter().filter(goes);
    let members = members.filter_map(|own| Some((own.name.clone(), own.value.to_raw()?)));
    members.collect()
}

/// Whether a tool has only what Bedrock knows; passes its mark, and notes the betas that it needs.
fn is_as_written(tool: &Object<'_>, search: Search, editor: &mut Editor<'_>) -> bool {
    if tool.is_true("eager_input_streaming") {
        editor.betas.push(EAGER);
    }
    editor.betas.extend(needed(tool));
    if is_search(tool) {
        editor.betas.push(SEARCH.1);
    }
    let is_marked_same = editor.marks.next(tool) == Mark::Same;
    let members = tool.members.iter();
    is_marked_same
        && members
            .into_iter()
            .all(|own| goes(tool, &own.name, &own.value, search))
}

/// Whether a member of a tool is passed on unchanged.
fn goes(tool: &Object<'_>, name: &str, value: &Value<'_>, search: Search) -> bool {
    is_known(tool, name, search)
        && match value {
            Value::Text(text) => !(name == "description" && text.is_blank()),
            Value::Object(schema) if name == "input_schema" => schema.kind() == "object",
            value => !value.is_null(),
        }
}

fn is_known(tool: &Object<'_>, name: &str, search: Search) -> bool {
    match name {
        "defer_loading" => search == Search::ByTool,
        "eager_input_streaming" | "custom" => false,
        name => !matches!(tool.kind(), "" | "custom") || MEMBERS.contains(&name),
    }
}

fn write_tool(
    tool: &Object<'_>,
    search: Search,
    editor: &mut Editor<'_>,
    out: &mut PieceWriter<'_>,
) {
    let mut list = List::new("{");
    for member in &tool.members {
        let name = &*member.name;
        if !is_known(tool, name, search) || member.value.is_null() {
            continue;
        }
        match &member.value {
            Value::Text(text) if name == "description" && text.is_blank() => {}
            Value::Object(own) if name == "cache_control" => match editor.marks.next(tool) {
                Mark::Same => {
                    list.member(name, out);
                    out.raw(own.json);
                }
                Mark::Set(set) => write_mark(set, &mut list, out),
            },
            Value::Object(schema) => {
                list.member(name, out);
                write_schema(schema, out);
            }
            value => {
                list.member(name, out);
                write_value(value, out);
            }
        }
    }
    list.end_with("}", "{}", out);
}

/// A schema of an object; some clients write the tool's type where the schema's should be.
fn write_schema(schema: &Object<'_>, out: &mut PieceWriter<'_>) {
    if schema.kind() == "object" {
        return out.raw(schema.json);
    }
    let mut list = List::new("{");
    for member in &schema.members {
        list.member(&member.name, out);
        if member.name == "type" {
            out.string("object");
        } else {
            write_value(&member.value, out);
        }
    }
    list.end_with("}", "{}", out);
}
