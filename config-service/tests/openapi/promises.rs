//! The document was written by hand before it was generated from the code. What it promised then, it still
//! promises.

use serde_json::{Value, json};

use super::document;
use super::shape::Shape;

/// The document as it was written by hand.
fn promised() -> Value {
    serde_json::from_str(include_str!("promised.json")).unwrap()
}

/// Who sends the values that a schema describes.
#[derive(Clone, Copy, PartialEq)]
enum Maker {
    /// Clients: what they could send, they still can.
    Client,
    /// The service: it must not answer with anything that clients do not know.
    Service,
}

/// Two documents.
struct Comparison {
    old: Value,
    new: Value,
    broken: Vec<String>,
}

#[tokio::test]
async fn what_was_promised_is_still_promised() {
    let mut comparison = Comparison {
        old: promised(),
        new: document().await,
        broken: Vec::new(),
    };
    comparison.operations();
    assert!(
        comparison.broken.is_empty(),
        "{}",
        comparison.broken.join("\n")
    );
}

#[test]
fn a_broken_promise_is_found() {
    let lost = |name: &str, change: fn(&mut Value)| {
        let mut new = promised();
        change(&mut new);
        let mut comparison = Comparison {
            old: promised(),
            new,
            broken: Vec::new(),
        };
        comparison.operations();
        assert!(!comparison.broken.is_empty(), "{name}");
    };
    lost("a method", |new| {
        new["paths"]["/api/status"] = json!({});
    });
    lost("a parameter", |new| {
        new["paths"]["/api/history"]["get"]["parameters"] = json!([]);
    });
    lost("a status", |new| {
        new["paths"]["/api/tokens"]["post"]["responses"]["409"] = Value::Null;
    });
    lost("a field", |new| {
        new["components"]["schemas"]["Token"]["properties"]["role"] = Value::Null;
    });
    lost("a word", |new| {
        new["components"]["schemas"]["Role"]["enum"] = json!(["viewer", "editor"]);
    });
    lost("a field that is always there", |new| {
        new["components"]["schemas"]["Problem"]["required"] = json!(["type"]);
    });
    lost("a type", |new| {
        new["components"]["schemas"]["Problem"]["properties"]["revision"] =
            json!({"type": "string"});
    });
}

impl Comparison {
    fn operations(&mut self) {
        let paths = self.old["paths"].as_object().unwrap().clone();
        for (path, operations) in &paths {
            for (method, old) in operations.as_object().unwrap() {
                let new = self.new["paths"][path][method].clone();
                self.operation(&format!("{method} {path}"), old, &new);
            }
        }
    }

    fn operation(&mut self, at: &str, old: &Value, new: &Value) {
        self.check(new.is_object(), at, "the operation");
        self.check(is_open(old) == is_open(new), at, "whether it needs a token");
        self.check(old["tags"] == new["tags"], at, "its tag");
        self.check(old["summary"] == new["summary"], at, "its summary");
        for parameter in old["parameters"].as_array().into_iter().flatten() {
            self.parameter(at, parameter, &new["parameters"]);
        }
        if let Some(body) = old.get("requestBody") {
            let own = &new["requestBody"];
            self.check(own["required"] == body["required"], at, "a body");
            self.content(&format!("{at} body"), body, own, Maker::Client);
        }
        for (status, answer) in old["responses"].as_object().unwrap() {
            let at = format!("{at} {status}");
            let own = followed(&new["responses"][status], &self.new);
            self.check(own.is_object(), &at, "the status");
            self.content(&at, answer, &own, Maker::Service);
        }
    }

    fn parameter(&mut self, at: &str, old: &Value, all: &Value) {
        let at = format!("{at} {}", old["name"]);
        let mut all = all.as_array().into_iter().flatten();
        let same = |own: &&Value| own["name"] == old["name"] && own["in"] == old["in"];
        let Some(new) = all.find(same) else {
            return self.check(false, &at, "the parameter");
        };
        let is_needed = |own: &Value| own["required"] == true;
        self.check(
            is_needed(old) == is_needed(new),
            &at,
            "whether it is needed",
        );
        self.check(new["description"].is_string(), &at, "what it is");
        self.schema(&at, &old["schema"], &new["schema"], Maker::Client);
    }

    fn content(&mut self, at: &str, old: &Value, new: &Value, maker: Maker) {
        for (kind, content) in old["content"].as_object().into_iter().flatten() {
            let own = &new["content"][kind];
            self.check(own.is_object(), at, kind);
            self.schema(at, &content["schema"], &own["schema"], maker);
        }
    }

    fn schema(&mut self, at: &str, old: &Value, new: &Value, maker: Maker) {
        let old = Shape::of(old, &self.old);
        let new = Shape::of(new, &self.new);
        let known = match maker {
            Maker::Client => old.kinds.is_subset(&new.kinds),
            // A schema that allows anything was not described at all.
            Maker::Service => old.kinds.is_empty() || old.kinds == new.kinds,
        };
        self.check(known, at, &format!("its type, {:?}", old.kinds));
        for word in &old.words {
            self.check(new.words.contains(word), at, &word.to_string());
        }
        for fact in &old.facts {
            self.check(new.facts.contains(fact), at, &format!("{fact:?}"));
        }
        if maker == Maker::Service {
            for name in old.required.difference(&new.required) {
                self.check(false, at, &format!("that {name} is always there"));
            }
        }
        for (name, schemas) in &old.members {
            let at = format!("{at}/{name}");
            match new.members.get(name) {
                Some(own) => {
                    self.schema(&at, &any_of(schemas), &any_of(own), maker);
                }
                None => self.check(false, &at, "the field"),
            }
        }
        if !old.items.is_empty() {
            self.schema(
                &format!("{at}/*"),
                &any_of(&old.items),
                &any_of(&new.items),
                maker,
            );
        }
    }

    fn check(&mut self, is_kept: bool, at: &str, what: &str) {
        if !is_kept {
            self.broken.push(format!("{at} lost {what}"));
        }
    }
}

fn any_of(schemas: &[Value]) -> Value {
    json!({"anyOf": schemas})
}

/// Whether an operation needs no token.
fn is_open(operation: &Value) -> bool {
    operation.get("security").is_some()
}

/// What a part of a document refers to, or that part itself.
fn followed(part: &Value, document: &Value) -> Value {
    let reference = part["$ref"].as_str();
    let pointer = reference.map(|own| own.strip_prefix('#').unwrap());
    let found = pointer.map(|pointer| document.pointer(pointer).unwrap());
    found.unwrap_or(part).clone()
}
