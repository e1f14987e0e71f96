//! The results as a table and in machine-readable form, with targets beside the measurements.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::rounds::{Sample, Series};
use crate::variant::Variant;

/// One line of the table: medians over the rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The load.
    pub load: &'static str,
    /// The variant.
    pub variant: &'static str,
    /// Requests per second.
    pub requests_per_second: f64,
    /// Median latency, in microseconds.
    pub p50_us: f64,
    /// Latency that one request in a hundred exceeds, in microseconds.
    pub p99_us: f64,
    /// Envoy's processor time per 1,000 requests, in seconds.
    pub cpu_seconds_per_1000: f64,
    /// That, relative to passthrough in the same round.
    pub ratio: f64,
    /// The target for the ratio.
    pub target: Option<f64>,
    /// Of a variant with limits: its processor time, relative to the same without limits in the same round.
    pub limits_ratio: Option<f64>,
    /// The target for that.
    pub limits_target: Option<f64>,
    /// By how much the median latency exceeds passthrough's in the same round, in
    /// microseconds.
    pub added_p50_us: f64,
    /// The target for that.
    pub added_p50_target_us: Option<f64>,
    /// Envoy's resident memory before and after the load, in bytes.
    pub resident: (u64, u64),
}

/// The lines of all series, grouped by load, passthrough first.
#[must_use]
pub fn lines(series: &[Series]) -> Vec<Line> {
    let mut passthrough: &[Sample] = &[];
    let mut unlimited: &[Sample] = &[];
    let mut lines = Vec::with_capacity(series.len());
    for own in series {
        if own.variant == Variant::Passthrough {
            passthrough = &own.samples;
            unlimited = &[];
        }
        if own.variant == Variant::Bearer {
            unlimited = &own.samples;
        }
        lines.push(line(own, passthrough, unlimited));
    }
    lines
}

fn line(own: &Series, passthrough: &[Sample], unlimited: &[Sample]) -> Line {
    let of = |value: fn(&Sample) -> f64| median(own.samples.iter().map(value).collect());
    let pairs = || own.samples.iter().zip(passthrough);
    let ratio = |others: &[Sample]| {
        let pairs = own.samples.iter().zip(others);
        let ratios = pairs.map(|(own, other)| own.cpu.as_secs_f64() / other.cpu.as_secs_f64());
        median(ratios.collect())
    };
    let is_limited = own.variant.limit_mode().is_some() && !unlimited.is_empty();
    let added = pairs().map(|(own, plain)| microseconds(own.p50) - microseconds(plain.p50));
    Line {
        load: own.load.name(),
        variant: own.variant.name(),
        requests_per_second: of(|sample| sample.rate),
        p50_us: of(|sample| microseconds(sample.p50)),
        p99_us: of(|sample| microseconds(sample.p99)),
        cpu_seconds_per_1000: of(|sample| sample.cpu.as_secs_f64() * 1000.0),
        ratio: ratio(passthrough),
        target: own.variant.target(own.load),
        limits_ratio: is_limited.then(|| ratio(unlimited)),
        limits_target: own.variant.limits_target(own.load),
        added_p50_us: median(added.collect()),
        added_p50_target_us: own.variant.added_latency_target(own.load),
        resident: own.resident,
    }
}

/// The lines as a Markdown table.
#[must_use]
pub fn markdown(lines: &[Line]) -> String {
    let mut text = String::from(
        "| load | variant | requests/s | p50 µs | p99 µs | added p50 µs | CPU s per 1,000 | ratio | \
         target | to `bearer`, target | RSS MB before, after |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let target = match (line.target, line.added_p50_target_us) {
            (Some(ratio), _) => format!("{ratio}"),
            (None, Some(added)) => format!("{added} µs added"),
            (None, None) => String::new(),
        };
        let limits = match (line.limits_ratio, line.limits_target) {
            (Some(ratio), Some(target)) => format!("{ratio:.2}, {target}"),
            (Some(ratio), None) => format!("{ratio:.2}"),
            (None, _) => String::new(),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.4} | {:.2} | {target} | {limits} | {}, {} |",
            line.load,
            line.variant,
            line.requests_per_second,
            line.p50_us,
            line.p99_us,
            line.added_p50_us,
            line.cpu_seconds_per_1000,
            line.ratio,
            line.resident.0 / 1_000_000,
            line.resident.1 / 1_000_000,
        );
    }
    text
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
#[allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;
    use crate::load::Load;

    fn series(variant: Variant, cpu_us: &[u64]) -> Series {
        let sample = |cpu: &u64| Sample {
            requests: 1,
            cpu: Duration::from_micros(*cpu),
            rate: 1.0,
            p50: Duration::from_micros(*cpu),
            p99: Duration::from_micros(*cpu),
        };
        Series {
            load: Load::Chat1k,
            variant,
            samples: cpu_us.iter().map(sample).collect(),
            resident: (0, 0),
        }
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let lines = lines(&[
            series(Variant::Passthrough, &[10, 100, 20]),
            series(Variant::SigV4, &[20, 300, 30]),
        ]);
        // 2, 3 and 1.5: a slow round is slow for both variants.
        assert!((lines[1].ratio - 2.0).abs() < 1e-9);
        assert!((lines[1].added_p50_us - 10.0).abs() < 1e-9);
        assert!((lines[0].ratio - 1.0).abs() < 1e-9);
    }

    #[test]
    fn limits_are_compared_with_the_same_without_them() {
        let lines = lines(&[
            series(Variant::Passthrough, &[10, 10, 10]),
            series(Variant::Bearer, &[20, 30, 40]),
            series(Variant::SharedLimits, &[30, 60, 40]),
        ]);
        assert_eq!(lines[1].limits_ratio, None);
        assert!((lines[2].limits_ratio.unwrap() - 1.5).abs() < 1e-9);
        assert!(markdown(&lines).contains("| 1.50, 1.8 |"));
    }
}
