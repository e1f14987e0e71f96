//! Reads a body once, and remembers where everything is.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use super::params::is_known;
use super::shape;
use super::wire::{Asked, Content, Member, Message, Object, Role, Value};
use crate::json::{Kind, Name, Walker};

/// How deep objects are read: a block in a result, its source, the blocks in that, and their marks.
const MAX_DEPTH: u8 = 6;

/// Members that are strings wherever they occur.
const TEXTS: [&str; 14] = [
    "context",
    "data",
    "description",
    "file_id",
    "id",
    "media_type",
    "name",
    "signature",
    "text",
    "thinking",
    "title",
    "tool_use_id",
    "ttl",
    "type",
];

/// Names that are compared one by one. Objects of the API have fewer, those of an attacker millions.
const FEW: usize = 32;

/// Reads the whole body.
///
/// # Errors
///
/// The first fault.
pub(super) fn read(body: &[u8]) -> Result<Asked<'_>, Fault> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| Fault::NotJson)?;
    let mut walker = Walker::new(text);
    if walker.kind() != Kind::Object {
        walker.raw()?;
        return Err(match walker.is_at_end() {
            true => Fault::here("Input should be a valid dictionary"),
            false => Fault::NotJson,
        });
    }
    let mut asked = Asked::default();
    let (mut has_messages, mut has_tools) = (false, false);
    let mut late = BTreeSet::new();
    walker.object(|walker, name| {
        let Name { text: name, .. } = name;
        let is_taken = match &*name {
            "messages" => std::mem::replace(&mut has_messages, true),
            "system" => asked.system.is_some(),
            "tools" => std::mem::replace(&mut has_tools, true),
            _ => is_there(asked.members.iter().map(|(own, _)| own), &mut late, &name),
        };
        if is_taken {
            return Err(twice(&name));
        }
        match (&*name, walker.kind()) {
            ("messages", _) => asked.messages = messages(walker)?,
            ("tools", Kind::Array) => asked.tools = tools(walker)?,
            ("system", Kind::String | Kind::Array) => {
                asked.system = Some(content(walker, shape::system).map_err(|own| own.below(name))?);
            }
            ("system" | "tools", Kind::Null) => drop(walker.raw()?),
            ("system" | "tools", _) => {
                walker.raw()?;
                return Err(Fault::here("Input should be a valid list").below(name));
            }
            _ if is_known(&name) => asked.members.push((name, walker.raw()?)),
            _ => asked.members.push((name, walker.unread()?)),
        }
        Ok::<_, Fault>(())
    })?;
    asked.has_halves = walker.has_halves();
    match (walker.is_at_end(), has_messages) {
        (false, _) => Err(Fault::NotJson),
        (true, false) => Err(Fault::missing("messages")),
        (true, true) => Ok(asked),
    }
}

fn messages<'a>(walker: &mut Walker<'a>) -> Result<(&'a str, Vec<Message<'a>>), Fault> {
    let mut list = Vec::new();
    if walker.kind() != Kind::Array {
        walker.raw()?;
        return Err(Fault::here("Input should be a valid list").below("messages"));
    }
    let json = walker.array(|walker, index| {
        let own = message(walker).map_err(|own| own.below(index).below("messages"))?;
        list.push(own);
        Ok::<_, Fault>(())
    })?;
    if list.is_empty() {
        return Err(Fault::here("at least one message is required").below("messages"));
    }
    Ok((json, list))
}

fn message<'a>(walker: &mut Walker<'a>) -> Result<Message<'a>, Fault> {
    must_be_object(walker)?;
    let (mut role, mut said, mut has_more) = (None, None, false);
    let json = walker.object(|walker, name| {
        match (&*name.text, walker.kind()) {
            ("role", _) if role.is_some() => return Err(twice("role")),
            ("content", _) if said.is_some() => return Err(twice("content")),
            ("role", Kind::String) => role = Some(self::role(&walker.text()?)?),
            ("content", Kind::String | Kind::Array) => {
                // Which blocks may be there depends on the role, which may come later.
                said = Some(content(walker, |_| Ok(())).map_err(|own| own.below("content"))?);
            }
            ("role", _) => {
                walker.raw()?;
                return Err(Fault::here("Input should be a valid string").below("role"));
            }
            ("content", _) => {
                walker.raw()?;
                let words = "Input should be a valid string or a list of blocks";
                return Err(Fault::here(words).below("content"));
            }
            _ => {
                walker.unread()?;
                has_more = true;
            }
        }
        Ok(())
    })?;
    let role = role.ok_or_else(|| Fault::missing("role"))?;
    let content = said.ok_or_else(|| Fault::missing("content"))?;
    let check = match role {
        Role::User => shape::user,
        Role::Assistant => shape::assistant,
        Role::System => shape::system,
    };
    for (index, block) in content.blocks().iter().enumerate() {
        check(block).map_err(|own| own.below(index).below("content"))?;
    }
    Ok(Message {
        json,
        role,
        content,
        has_more,
    })
}

fn twice(name: &str) -> Fault {
    Fault::here("The field is sent twice").below(name)
}

fn role(role: &str) -> Result<Role, Fault> {
    Ok(match role {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => {
            let hint = match other {
                "developer" => "; instructions come from 'system'",
                "tool" => "; results are `tool_result` blocks in messages from 'user'",
                _ => "",
            };
            let words = format!("Input should be 'user', 'assistant' or 'system'{hint}");
            return Err(Fault::here(words).below("role"));
        }
    })
}

fn tools<'a>(walker: &mut Walker<'a>) -> Result<(&'a str, Vec<Object<'a>>), Fault> {
    let mut list: Vec<Object<'a>> = Vec::new();
    let json = walker.array(|walker, index| {
        let below = |own: Fault| own.below(index).below("tools");
        must_be_object(walker).map_err(below)?;
        let tool = object(walker, MAX_DEPTH).map_err(below)?;
        shape::tool(&tool).map_err(below)?;
        list.push(tool);
        Ok::<_, Fault>(())
    })?;
    let is_whole = drop_repeated(&mut list)?;
    Ok((if is_whole { json } else { "" }, list))
}

/// Leaves out tools that are the same as one before them: some agents send theirs twice, and no model takes two of a
/// name. Whether all are left.
fn drop_repeated(tools: &mut Vec<Object<'_>>) -> Result<bool, Fault> {
    let count = tools.len();
    let (mut firsts, mut repeated) = (BTreeMap::new(), Vec::new());
    for (index, tool) in tools.iter().enumerate() {
        let Some(name) = tool.text("name") else {
            continue;
        };
        match firsts.entry(&**name) {
            Entry::Vacant(entry) => {
                entry.insert(tool.json);
            }
            Entry::Occupied(first) if *first.get() == tool.json => repeated.push(index),
            Entry::Occupied(_) => {
                return Err(Fault::here("Tool names must be unique").below("tools"));
            }
        }
    }
    let mut repeated = repeated.into_iter().peekable();
    let mut index = 0;
    tools.retain(|_| {
        let is_repeated = repeated.next_if_eq(&index).is_some();
        index += 1;
        !is_repeated
    });
    Ok(tools.len() == count)
}

fn content<'a>(
    walker: &mut Walker<'a>,
    check: impl Fn(&Object<'a>) -> Result<(), Fault>,
) -> Result<Content<'a>, Fault> {
    if walker.kind() == Kind::String {
        return Ok(Content::Text(walker.text()?));
    }
    let (json, list) = blocks(walker, MAX_DEPTH)?;
    for (index, block) in list.iter().enumerate() {
        check(block).map_err(|own| own.below(index))?;
    }
    Ok(Content::Blocks(json, list))
}

fn blocks<'a>(walker: &mut Walker<'a>, depth: u8) -> Result<(&'a str, Vec<Object<'a>>), Fault> {
    let mut list = Vec::new();
    let json = walker.array(|walker, index| {
        must_be_object(walker).map_err(|own| own.below(index))?;
        list.push(object(walker, depth).map_err(|own| own.below(index))?);
        Ok::<_, Fault>(())
    })?;
    Ok((json, list))
}

fn must_be_object(walker: &mut Walker<'_>) -> Result<(), Fault> {
    if walker.kind() == Kind::Object {
        return Ok(());
    }
    walker.raw()?;
    Err(Fault::here("Input should be an object"))
}

fn object<'a>(walker: &mut Walker<'a>, depth: u8) -> Result<Object<'a>, Fault> {
    let mut members: Vec<Member<'a>> = Vec::new();
    let mut late = BTreeSet::new();
    let json = walker.object(|walker, name| {
        let name = name.text;
        if is_there(members.iter().map(|own| &own.name), &mut late, &name) {
            return Err(twice(&name));
        }
        let value = value(walker, &name, depth).map_err(|own| own.below(&name))?;
        members.push(Member { name, value });
        Ok(())
    })?;
    Ok(Object { json, members })
}

/// Whether an object has a member of this name already; `late` has the names after the first few.
fn is_there<'n, 'a: 'n>(
    members: impl ExactSizeIterator<Item = &'n Cow<'a, str>>,
    late: &mut BTreeSet<String>,
    name: &str,
) -> bool {
    let has_late = members.len() >= FEW;
    let mut few = members.take(FEW);
    few.any(|own| own == name) || (has_late && !late.insert(name.to_owned()))
}

fn value<'a>(walker: &mut Walker<'a>, name: &Cow<'a, str>, depth: u8) -> Result<Value<'a>, Fault> {
    let depth = depth.checked_sub(1);
    Ok(match (&**name, walker.kind(), depth) {
        ("source" | "cache_control" | "input_schema", Kind::Object, Some(depth)) => {
            Value::Object(object(walker, depth)?)
        }
        ("content", Kind::Array, Some(depth)) => {
            let (json, list) = blocks(walker, depth)?;
            Value::Blocks(json, list)
        }
        ("content" | "source", Kind::String, _) => Value::Text(walker.text()?),
        (name, Kind::String, _) if TEXTS.contains(&name) => Value::Text(walker.text()?),
        _ => Value::Raw(walker.raw()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(names: impl Iterator<Item = usize>) -> String {
        names.map(|name| format!(r#""m{name}":1,"#)).collect()
    }

    #[test]
    fn a_member_that_is_there_twice_is_found_wherever_it_is() {
        for (first, second) in [(0, 1), (0, 40), (31, 32), (32, 33), (33, 90)] {
            let names = || members((0..second).chain([first]).chain(second..100));
            let twice = format!(
                r#"{{{}"messages":[{{"role":"user","content":"a"}}]}}"#,
                names()
            );
            assert!(read(twice.as_bytes()).is_err(), "{first} {second}");
            let block = format!(
                r#"{{"messages":[{{"role":"user","content":[{{{}"type":"text","text":"a"}}]}}]}}"#,
                names()
            );
            assert!(read(block.as_bytes()).is_err(), "{first} {second}");
        }
    }

    #[test]
    fn what_nobody_reads_may_nest_as_deep_as_it_likes() {
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        let body = |own: &str, said: &str| {
            format!(r#"{{{own}"messages":[{{"role":"user",{said}"content":"a"}}]}}"#)
        };
        let unknown = format!(r#""made_up":{deep},"#);
        assert!(read(body(&unknown, &unknown).as_bytes()).is_ok());
        let known = format!(r#""metadata":{deep},"#);
        assert!(read(body(&known, "").as_bytes()).is_err());
        let broken = r#""made_up":[[[}]],"#;
        assert!(read(body(broken, "").as_bytes()).is_err());
    }

    #[test]
    fn a_body_of_nothing_but_names_does_not_hold_up_others() {
        // Compared with each other, these would take minutes.
        let names = members(0..300_000);
        let body = format!(
            r#"{{{names}"messages":[{{"role":"user","content":[{{{names}"type":"text","text":"a"}}]}}]}}"#
        );
        assert_eq!(read(body.as_bytes()).unwrap().members.len(), 300_000);
    }
}
