//! The messages of `usage.proto`.

/// What an Envoy reports.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Report {
    /// Each a [`Record`]: one that cannot be read must not keep the others from being stored.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub records: Vec<Vec<u8>>,
    #[prost(uint64, tag = "2")]
    pub dropped: u64,
}

/// One request.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Record {
    #[prost(bytes = "vec", tag = "1")]
    pub id: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub at_ms: u64,
    #[prost(string, tag = "3")]
    pub caller: String,
    #[prost(string, tag = "4")]
    pub key: String,
    #[prost(string, tag = "5")]
    pub channel: String,
    #[prost(string, tag = "6")]
    pub region: String,
    #[prost(string, tag = "7")]
    pub model: String,
    #[prost(string, tag = "8")]
    pub model_id: String,
    #[prost(string, tag = "9")]
    pub base_model: String,
    #[prost(string, tag = "10")]
    pub endpoint: String,
    #[prost(string, tag = "11")]
    pub outcome: String,
    #[prost(uint64, tag = "12")]
    pub input: u64,
    #[prost(uint64, tag = "13")]
    pub output: u64,
    #[prost(uint64, tag = "14")]
    pub duration_ms: u64,
    #[prost(uint64, tag = "15")]
    pub attempts: u64,
    #[prost(string, tag = "16")]
    pub request_id: String,
    #[prost(string, tag = "17")]
    pub code: String,
    #[prost(string, tag = "18")]
    pub tier: String,
    #[prost(uint64, tag = "19")]
    pub status: u64,
    #[prost(uint64, tag = "20")]
    pub cache_read: u64,
    #[prost(uint64, tag = "21")]
    pub cache_write: u64,
    #[prost(uint64, tag = "22")]
    pub cache_write_1h: u64,
    #[prost(uint64, tag = "23")]
    pub reasoning: u64,
    #[prost(uint64, tag = "24")]
    pub first_token_ms: u64,
    #[prost(string, tag = "25")]
    pub foreseen: String,
}

/// The acknowledgement of a report.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Ack {
    #[prost(message, repeated, tag = "1")]
    pub exhausted: Vec<Exhausted>,
}

/// A budget that is spent.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Exhausted {
    #[prost(string, tag = "1")]
    pub caller: String,
    #[prost(uint64, tag = "2")]
    pub resets_at: u64,
    #[prost(uint32, tag = "3")]
    pub budget: u32,
}

/// A question for what a caller has used.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Asked {
    #[prost(string, tag = "1")]
    pub caller: String,
}

/// The answer to it.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Figures {
    #[prost(bytes = "vec", tag = "1")]
    pub json: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use bedrock_filter::usage::{self, RecordId, Tokens};
    use prost::Message as _;

    use super::*;

    #[test]
    fn what_the_filter_writes_is_read() {
        let written = usage::Record {
            id: RecordId([3; 16]),
            request_id: "r".to_owned(),
            at_ms: 1_796_004_223_800,
            caller: "c".to_owned(),
            key: "k".to_owned(),
            foreseen: "served",
            channel: "ch".to_owned(),
            region: "us-east-1".to_owned(),
            model: "m".to_owned(),
            model_id: "id".to_owned(),
            base_model: "base".to_owned(),
            endpoint: "openai_chat",
            outcome: "refused",
            status: 404,
            code: "model_not_found",
            tokens: Tokens {
                input: 1,
                output: 2,
                cache_read: 3,
                cache_write: 4,
                cache_write_1h: 5,
                reasoning: 6,
            },
            tier: "flex".to_owned(),
            attempts: 7,
            duration_ms: 8,
            first_token_ms: Some(0),
        };
        let text = |text: &str| text.to_owned();
        let expected = Record {
            id: vec![3; 16],
            at_ms: 1_796_004_223_800,
            caller: text("c"),
            key: text("k"),
            channel: text("ch"),
            region: text("us-east-1"),
            model: text("m"),
            model_id: text("id"),
            base_model: text("base"),
            endpoint: text("openai_chat"),
            outcome: text("refused"),
            input: 1,
            output: 2,
            duration_ms: 8,
            attempts: 7,
            request_id: text("r"),
            code: text("model_not_found"),
            tier: text("flex"),
            status: 404,
            cache_read: 3,
            cache_write: 4,
            cache_write_1h: 5,
            reasoning: 6,
            first_token_ms: 1,
            foreseen: text("served"),
        };
        assert_eq!(Record::decode(&*written.encode()).unwrap(), expected);
        assert_eq!(
            Record::decode(&*usage::Record::default().encode())
                .unwrap()
                .id,
            [0; 16]
        );
    }

    #[test]
    fn what_is_answered_is_read_by_the_filter() {
        let ack = Ack {
            exhausted: vec![Exhausted {
                caller: "c".to_owned(),
                resets_at: 1_798_761_600,
                budget: 1,
            }],
        };
        let read = usage::Ack::read(&ack.encode_to_vec());
        let expected = usage::Exhausted {
            caller: "c".to_owned(),
            resets_at: 1_798_761_600,
            budget: usage::Budget::Money,
        };
        assert_eq!(read.exhausted, [expected]);
    }

    #[test]
    fn figures_are_asked_for_and_read_by_the_filter() {
        let caller = "team-a".to_owned();
        let asked = Asked::decode(&*usage::Figures::of(&caller)).unwrap();
        assert_eq!(asked, Asked { caller });
        let json = br#"{"requests":3}"#.to_vec();
        let figures = Figures { json: json.clone() }.encode_to_vec();
        assert_eq!(usage::Figures::read(&figures), Some(json));
        let none = Figures::default().encode_to_vec();
        assert_eq!(usage::Figures::read(&none), None);
    }

    /// `name = number` of every field in a text.
    fn fields(text: &str, of: impl Fn(&str) -> Option<(String, String)>) -> Vec<(String, String)> {
        text.lines().filter_map(|line| of(line.trim())).collect()
    }

    #[test]
    fn the_document_has_the_same_fields() {
        let document = fields(include_str!("../../proto/usage.proto"), |line| {
            let (left, number) = line.strip_suffix(';')?.split_once(" = ")?;
            let name = left.split(' ').next_back()?;
            number.parse::<u32>().ok()?;
            Some((name.to_owned(), number.to_owned()))
        });
        let own = include_str!("messages.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        let mut number = None;
        let mut declared = Vec::new();
        for line in own.lines().map(str::trim) {
            if let Some((_, rest)) = line.split_once("tag = \"") {
                number = rest.split('"').next().map(str::to_owned);
            } else if let Some((name, _)) = line
                .strip_prefix("pub ")
                .and_then(|rest| rest.split_once(':'))
                && let Some(number) = number.take()
            {
                declared.push((name.to_owned(), number));
            }
        }
        assert_eq!(document, declared);
    }
}
