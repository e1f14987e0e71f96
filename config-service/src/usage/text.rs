//! Lines of usage as text, for spreadsheets and programs.

use std::fmt::Write as _;

use crate::prices::NanoDollars;
use crate::store::{Dimension, Line};

/// Names of the columns with sums.
const SUMS: [&str; 14] = [
    "requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "attempts",
    "duration_ms",
    "first_token_ms",
    "with_first_token",
    "cost_nano_usd",
    "unpriced",
    "cost_usd",
];

/// Comma-separated values, with a line of names: <https://www.rfc-editor.org/rfc/rfc4180>.
#[must_use]
pub fn csv(by: &[Dimension], lines: &[Line]) -> String {
    let names: Vec<_> = by.iter().map(|own| own.name()).chain(SUMS).collect();
    let mut text = names.join(",") + "\r\n";
    for line in lines {
        for dimension in by {
            match dimension {
                Dimension::Period => {
                    let _ = write!(text, "{}", line.period.unwrap_or(0));
                }
                other => push(&mut text, value(line, *other)),
            }
            text.push(',');
        }
        let sums = &line.sums;
        let numbers = [
            sums.requests,
            sums.errors,
            sums.input_tokens,
            sums.output_tokens,
            sums.cache_read_tokens,
            sums.cache_write_tokens,
            sums.reasoning_tokens,
            sums.attempts,
            sums.duration_ms,
            sums.first_token_ms,
            sums.with_first_token,
            sums.cost_nano_usd,
            sums.unpriced,
        ];
        for number in numbers {
            let _ = write!(text, "{number},");
        }
        let _ = write!(
            text,
            "{}\r\n",
            NanoDollars(sums.cost_nano_usd.unsigned_abs())
        );
    }
    text
}

/// A JSON object in each line.
#[must_use]
pub fn json_lines(lines: &[Line]) -> String {
    let written = lines
        .iter()
        .filter_map(|line| serde_json::to_string(line).ok());
    written.fold(String::new(), |text, line| text + &line + "\n")
}

/// What a line is of.
#[must_use]
pub fn value(line: &Line, dimension: Dimension) -> &str {
    let own = match dimension {
        Dimension::Period => &None,
        Dimension::Caller => &line.caller,
        Dimension::Key => &line.key,
        Dimension::Channel => &line.channel,
        Dimension::Region => &line.region,
        Dimension::Model => &line.model,
        Dimension::ModelId => &line.model_id,
        Dimension::BaseModel => &line.base_model,
        Dimension::Endpoint => &line.endpoint,
        Dimension::Tier => &line.tier,
        Dimension::Outcome => &line.outcome,
    };
    own.as_deref().unwrap_or_default()
}

/// A value, quoted where it has to be. Clients choose some of them, and spreadsheets run what begins like a formula:
/// <https://owasp.org/www-community/attacks/CSV_Injection>.
fn push(text: &mut String, value: &str) {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !is_formula && !value.contains([',', '"', '\r', '\n']) {
        return text.push_str(value);
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    text.push_str(&value.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sums;

    #[test]
    fn values_cannot_break_out_of_their_cells() {
        let line = |model: &str| Line {
            period: Some(7),
            model: Some(model.to_owned()),
            sums: Sums {
                requests: 2,
                cost_nano_usd: 1_500_000_000,
                ..Sums::default()
            },
            ..Line::default()
        };
        let by = [Dimension::Period, Dimension::Model];
        let text = csv(&by, &[line("nova"), line("a,\"b\""), line("=1+1")]);
        let lines: Vec<_> = text.lines().collect();
        assert!(
            lines[0].starts_with("period,model,requests,errors,"),
            "{text}"
        );
        assert!(lines[0].ends_with(",unpriced,cost_usd"), "{text}");
        assert_eq!(lines[1], "7,nova,2,0,0,0,0,0,0,0,0,0,0,1500000000,0,1.5");
        assert!(lines[2].starts_with("7,\"a,\"\"b\"\"\",2,"), "{text}");
        assert!(lines[3].starts_with("7,\"'=1+1\",2,"), "{text}");
        let text = json_lines(&[line("nova")]);
        let read: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(
            (&read["model"], &read["requests"]),
            (&"nova".into(), &2.into())
        );
        assert!(read.get("caller").is_none(), "{text}");
    }
}
