//! The properties of a stream that access logs and traces read.

use super::report::{Report, millis};

/// Names of all properties that [`tell_fields`] tells. Access logs have them as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub const FIELDS: [&str; 7] = [
    "bedrock.protocol",
    "bedrock.model",
    "bedrock.channel",
    "bedrock.profile",
    "bedrock.input_tokens",
    "bedrock.output_tokens",
    "bedrock.first_token_ms",
];

/// Tells the properties of a request, as far as they are known, with their names.
pub fn tell_fields(report: &Report, mut tell: impl FnMut(&'static str, &str)) {
    let [protocol, model, channel, profile, input, output, first] = FIELDS;
    tell(protocol, report.protocol);
    if let Some(called) = &report.called {
        tell(model, &called.model);
        tell(channel, &called.channel);
        tell(profile, &called.profile);
    }
    if let Some(usage) = report.usage.filter(|own| *own != Default::default()) {
        tell(input, Decimal::of(usage.prompt()).text());
        tell(output, Decimal::of(usage.output).text());
    }
    if let Some(time) = report.first_token {
        tell(first, Decimal::of(millis(time)).text());
    }
}

/// A number in digits, without the machinery of formatting and without memory of its own: this happens for every request.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn of(mut number: u64) -> Self {
        let mut own = Self {
            digits: [b'0'; 20],
            start: 20,
        };
        for place in own.digits.iter_mut().rev() {
            *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
            own.start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        own
    }

    fn text(&self) -> &str {
        let digits = self.digits.get(self.start..).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_digits() {
        for number in [0, 9, 10, 1_234, 10_000, u64::MAX] {
            assert_eq!(Decimal::of(number).text(), number.to_string());
        }
    }
}
