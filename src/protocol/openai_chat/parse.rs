//! Reads a request and checks its ranges.

use serde_json::value::RawValue;

use super::params;
use super::request::ChatRequest;
use crate::chat::Error;
use crate::protocol::openai::body;

impl<'a> ChatRequest<'a> {
    /// Reads a request and checks its ranges.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter.
    pub fn parse(body: &'a [u8]) -> Result<Box<Self>, Error> {
        Self::parse_for(body, None)
    }

    /// The same for a model that the path names.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter.
    pub fn parse_for(body: &'a [u8], model: Option<&str>) -> Result<Box<Self>, Error> {
        let text = body::text(body)?;
        let mut request = Self::read(text, "")?;
        if let Some(extra) = request.extra_body.take() {
            request.unpack(extra)?;
        }
        request.source = body;
        if let Some(model) = model {
            request.model = Some(model.to_owned().into());
        }
        params::check_ranges(&request)?;
        Ok(request)
    }

    /// Reads an object of parameters; faults are named behind `prefix`.
    fn read(text: &'a [u8], prefix: &str) -> Result<Box<Self>, Error> {
        // Boxed, because so much should not be moved around.
        let (mut request, names) = body::read::<Box<Self>>(text, prefix)?;
        let unknown = names.into_iter().filter(|name| !params::is_known(name));
        let unknown = unknown.map(|name| match prefix {
            "" => name,
            prefix => format!("{prefix}{name}").into(),
        });
        request.unknown = unknown.collect();
        Ok(request)
    }

    /// Puts the parameters of an `extra_body` where they belong.
    fn unpack(&mut self, extra: &'a RawValue) -> Result<(), Error> {
        if !extra.get().starts_with('{') {
            let message = "'extra_body' must be an object.";
            return Err(Error::invalid("extra_body", message));
        }
        let mut extra = Self::read(extra.get().as_bytes(), "extra_body.")?;
        self.unknown.append(&mut extra.unknown);
        self.overwrite_with(extra);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Chat;
    use super::*;
    use crate::protocol::Protocol as _;

    #[track_caller]
    fn check_fault(json: &str, param: Option<&str>, code: &str) {
        let error = Chat
            .parse(json.as_bytes(), &crate::protocol::Said::default())
            .err()
            .unwrap();
        assert_eq!(error.status, 400);
        assert_eq!(
            (error.param.clone(), error.code),
            (param.map(|param| param.to_owned().into()), Some(code)),
            "{error}"
        );
    }

    #[test]
    fn faults_name_their_parameter() {
        check_fault("", None, "invalid_json");
        check_fault("{", None, "invalid_json");
        check_fault("[]", None, "invalid_json");
        check_fault("null", None, "invalid_json");
        check_fault("{}", Some("model"), "missing_required_parameter");
        check_fault(
            r#"{"model":null,"messages":[]}"#,
            Some("model"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m"}"#,
            Some("messages"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m","extra_body":{"top_k":"many"}}"#,
            Some("extra_body.top_k"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","extra_body":[]}"#,
            Some("extra_body"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","messages":[{"role":"user","content":5}]}"#,
            Some("messages[0].content"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","messages":[{"role":"wizard","content":"x"}]}"#,
            Some("messages[0].role"),
            "invalid_value",
        );
        check_fault(
            r#"{"model":"m","messages":[{"content":"x"}]}"#,
            Some("messages[0].role"),
            "missing_required_parameter",
        );
        check_fault(
            r#"{"model":"m","messages":[],"temperature":"hot"}"#,
            Some("temperature"),
            "invalid_value",
        );
    }

    #[test]
    fn stop_is_a_text_or_several() {
        for (stop, texts) in [(r#""x""#, 1), (r#"["x","y"]"#, 2), ("[]", 0)] {
            let user = r#"{"role":"user","content":"x"}"#;
            let body = format!(r#"{{"model":"m","messages":[{user}],"stop":{stop}}}"#);
            let request = ChatRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.stop.unwrap().len(), texts);
        }
    }

    #[test]
    fn faults_inside_parts_name_the_part() {
        let body = |parts: &str| {
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"a"}},{parts}]}}]}}"#
            )
        };
        check_fault(
            &body(r#"{"type":"text","text":5}"#),
            Some("messages[0].content[1].text"),
            "invalid_value",
        );
        check_fault(
            &body(r#"{"text":"a"}"#),
            Some("messages[0].content[1].type"),
            "missing_required_parameter",
        );
        check_fault(
            &body(r#"{"type":"image_url","image_url":{"url":5}}"#),
            Some("messages[0].content[1].image_url.url"),
            "invalid_value",
        );
        check_fault(
            &body(r#"{"type":"image","source":{"data":"AAAA"}}"#),
            Some("messages[0].content[1].source.type"),
            "missing_required_parameter",
        );
        check_fault(
            &body("\"\\ud800\""),
            Some("messages[0].content[1]"),
            "invalid_value",
        );
        check_fault(&body("\"\n\""), None, "invalid_json");
    }

    #[test]
    fn faults_are_told_in_words_of_json() {
        for (fields, message) in [
            (
                r#""temperature":"hot""#,
                "'temperature' must be a number, got the string \"hot\".",
            ),
            (
                r#""max_tokens":-1"#,
                "'max_tokens' must be a whole number from 0 to 4294967295, got -1.",
            ),
            (
                r#""reasoning_effort":5"#,
                "'reasoning_effort' must be a string, got 5.",
            ),
            (
                r#""metadata":{"a":["b"]}"#,
                "'metadata.a' must be a string, a number or a boolean, got an array.",
            ),
            (
                r#""tool_choice":"all""#,
                "'tool_choice' must be \"none\", \"auto\" or \"required\", got the string \"all\".",
            ),
            (
                r#""thinking":{"type":"on"}"#,
                "'thinking.type' must be \"enabled\", \"adaptive\" or \"disabled\", got the string \
                 \"on\".",
            ),
            (
                r#""stream":true,"stream":true"#,
                "'stream' is sent twice; send it once.",
            ),
        ] {
            let user = r#"{"role":"user","content":"x"}"#;
            let body = format!(r#"{{"model":"m","messages":[{user}],{fields}}}"#);
            let error = Chat.parse(body.as_bytes(), &crate::protocol::Said::default());
            assert_eq!(error.err().unwrap().message, message, "{body}");
        }
        for (body, message) in [
            (
                r#"{"model":"m","messages":["Hi"]}"#,
                "'messages[0]' must be an object, got a string.",
            ),
            (
                r#"{"model":"m","messages":"Hi"}"#,
                "'messages' must be an array, got a string.",
            ),
            (
                r#"{"model":"m","messages":[{"role":7}]}"#,
                "'messages[0].role' must be a string, got 7.",
            ),
            ("5", "The request body must be a JSON object, got 5."),
            (
                r#"{"model":"m""#,
                "We could not parse the JSON body of your request: it ends inside an object (line 1, \
                 column 12).",
            ),
        ] {
            let error = Chat
                .parse(body.as_bytes(), &crate::protocol::Said::default())
                .err()
                .unwrap();
            assert_eq!(error.message, message, "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let body = "\u{feff}{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}";
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(request.model.as_deref(), Some("m"));
    }

    #[test]
    fn null_is_the_same_as_absent() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a"}],"stop":null,"tools":null,"temperature":null,"stream":null,"stream_options":null,"max_tokens":null,"tool_choice":null}"#;
        let request = ChatRequest::parse(body).unwrap();
        assert!(request.stop.is_none() && request.tools.is_none() && request.stream.is_none());
    }

    #[test]
    fn unknown_names_are_kept_whichever_reader_takes_them() {
        let user = r#"{"role":"user","content":"x"}"#;
        for (fields, unknown) in [
            (r#""seed":1,"store":true"#, &[][..]),
            (r#""b":{"c":1},"a":[],"b":2"#, &["b", "a", "b"][..]),
            // Escapes in a name: the first is known, the second is not.
            (r#""\u0073eed":1,"\u0061b":1"#, &["ab"][..]),
            (
                r#""extra_body":{"seed":1,"a":1,"extra_body":{"b":1}}"#,
                &["extra_body.a"][..],
            ),
        ] {
            let body = format!(r#"{{"model":"m","messages":[{user}],{fields}}}"#);
            let request = ChatRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.unknown, unknown, "{body}");
        }
    }

    #[test]
    fn an_extra_body_is_unpacked() {
        let user = r#"{"role":"user","content":"x"}"#;
        let extra = r#"{"top_k":5,"temperature":0.5,"thinking":{"type":"disabled"}}"#;
        let body =
            format!(r#"{{"model":"m","messages":[{user}],"temperature":1,"extra_body":{extra}}}"#);
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        assert_eq!((request.top_k, request.temperature), (Some(5), Some(0.5)));
        assert!(request.thinking.is_some() && request.extra_body.is_none());
        assert_eq!(request.model.as_deref(), Some("m"));
    }
}
