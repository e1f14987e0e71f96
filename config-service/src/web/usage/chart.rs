//! Bar charts as SVG, with the same numbers as a table. Nothing is told by colour alone.

use maud::{Markup, html};

use crate::store::Resolution;
use crate::zone::Zone;

/// Size of the drawing, in its own units.
const WIDTH: i64 = 1_000;
const HEIGHT: i64 = 160;

/// One bar.
pub(super) struct Bar {
    /// What it is of.
    pub(super) label: String,
    /// How high it is, in whatever unit.
    pub(super) value: i64,
    /// Its value for people.
    pub(super) words: String,
}

/// A chart with a title, and its table.
pub(super) fn bars(title: &str, unit: &str, all: &[Bar]) -> Markup {
    let most = all.iter().map(|bar| bar.value).max().unwrap_or(0);
    let highest = all.iter().find(|bar| bar.value == most);
    let summary = match (highest, all.first(), all.last()) {
        (Some(highest), Some(first), Some(last)) if most > 0 => format!(
            "{title} from {} to {}; the highest bar is {} on {}",
            first.label, last.label, highest.words, highest.label
        ),
        _ => format!("{title}: nothing"),
    };
    html! {
        section.card.chart aria-label=(title) {
            h2 { (title) }
            @if most > 0 {
                (drawing(&summary, all, most))
                p.muted { (summary) "." }
                details {
                    summary { "Table of " (all.len()) }
                    table {
                        thead { tr { th scope="col" { "From" } th scope="col" { (unit) } } }
                        tbody {
                            @for bar in all { tr { th scope="row" { (bar.label) } td { (bar.words) } } }
                        }
                    }
                }
            } @else { p.muted { "Nothing." } }
        }
    }
}

fn drawing(summary: &str, all: &[Bar], most: i64) -> Markup {
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX).max(1);
    // The width of a bar and the gap after it, in thousandths, so that many bars fit too.
    let step = WIDTH * 1_000 / count;
    let width = (step * 4 / 5).max(500);
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) preserveAspectRatio="none" {
            line x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
            @for (bar, index) in all.iter().zip(0_i64..) {
                @let height = height(bar.value, most);
                rect x=(thousandths(index * step)) y=(HEIGHT - height) width=(thousandths(width)) height=(height) {
                    title { (bar.label) ": " (bar.words) }
                }
            }
        }
    }
}

/// The height of a bar. What is not nothing is seen.
fn height(value: i64, most: i64) -> i64 {
    let scaled = i128::from(value) * i128::from(HEIGHT) / i128::from(most.max(1));
    let scaled = i64::try_from(scaled).unwrap_or(HEIGHT);
    if value > 0 { scaled.max(1) } else { 0 }
}

fn thousandths(number: i64) -> String {
    format!("{}.{:03}", number / 1_000, number % 1_000)
}

/// The start of a period, for people.
pub(super) fn period(seconds: i64, resolution: Resolution, zone: &Zone) -> String {
    match resolution {
        Resolution::Day => zone.day_text(seconds),
        Resolution::Hour => zone.hour_text(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: i64) -> Bar {
        Bar {
            label: format!("day {value}"),
            value,
            words: format!("{value} tokens"),
        }
    }

    #[test]
    fn a_chart_has_a_bar_and_a_row_for_each_and_says_the_highest() {
        let page = bars("Tokens", "tokens", &[bar(5), bar(0), bar(500)]).into_string();
        assert_eq!(page.matches("<rect").count(), 3);
        assert_eq!(page.matches("<td>").count(), 3);
        assert!(
            page.contains("the highest bar is 500 tokens on day 500"),
            "{page}"
        );
        assert!(page.contains("height=\"160\""), "{page}");
        assert!(!page.contains("style="), "{page}");
        let empty = bars("Tokens", "tokens", &[bar(0)]).into_string();
        assert!(!empty.contains("<svg"), "{empty}");
        let hostile = Bar {
            label: "<script>".to_owned(),
            ..bar(1)
        };
        assert!(
            !bars("T", "t", &[hostile])
                .into_string()
                .contains("<script>")
        );
    }

    #[test]
    fn small_values_are_seen() {
        assert_eq!((height(0, 1_000_000), height(1, 1_000_000)), (0, 1));
        assert_eq!(height(i64::MAX, i64::MAX), HEIGHT);
    }

    #[test]
    fn periods_are_written_as_the_zones_clocks_show_them() {
        let written =
            |resolution, zone: &str| period(1_796_040_000, resolution, &zone.parse().unwrap());
        assert_eq!(written(Resolution::Day, "UTC"), "2026-11-30");
        assert_eq!(written(Resolution::Hour, "UTC"), "2026-11-30 12:00");
        assert_eq!(
            written(Resolution::Hour, "Asia/Kolkata"),
            "2026-11-30 17:30"
        );
        assert_eq!(written(Resolution::Day, "Pacific/Kiritimati"), "2026-12-01");
    }
}
