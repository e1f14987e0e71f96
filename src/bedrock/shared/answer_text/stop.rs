//! Ends an answer at a stop text, for models that do not know stop texts.

/// Lets an answer through until a stop text is complete; drops the stop text and what follows.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct StopCutter {
    stops: Vec<String>,
    /// What may turn out to be the start of a stop text.
    held: String,
    /// The stop text that was reached.
    reached: Option<String>,
}

impl StopCutter {
    /// A cutter for these texts, none of which is empty.
    pub(in crate::bedrock) fn new(stops: Vec<String>) -> Self {
        Self {
            stops,
            held: String::new(),
            reached: None,
        }
    }

    /// The stop text that was reached, if one was.
    pub(in crate::bedrock) fn reached(&self) -> Option<&str> {
        self.reached.as_deref()
    }

    /// Takes the next text and passes on what certainly belongs to the answer.
    pub(in crate::bedrock) fn push(&mut self, text: &str, sink: &mut dyn FnMut(&str)) {
        if self.reached.is_some() {
            return;
        }
        if self.stops.is_empty() {
            return sink(text);
        }
        self.held.push_str(text);
        let sure = self.stop().unwrap_or_else(|| {
            let starts = self.stops.iter().map(|stop| overlap(&self.held, stop));
            self.held.len() - starts.max().unwrap_or(0)
        });
        if let Some(sure) = self.held.get(..sure).filter(|sure| !sure.is_empty()) {
            sink(sure);
        }
        self.held.drain(..sure);
    }

    /// Takes the end of the answer and passes on what was held back.
    pub(in crate::bedrock) fn finish(&mut self, sink: &mut dyn FnMut(&str)) {
        let held = std::mem::take(&mut self.held);
        if self.reached.is_none() && !held.is_empty() {
            sink(&held);
        }
    }

    /// Where the stop text begins that is complete first, if there is one. A model that knows stop texts would have
    /// stopped there, whichever began first.
    fn stop(&mut self) -> Option<usize> {
        let found = self.stops.iter().filter_map(|stop| {
            let start = self.held.find(stop.as_str())?;
            Some((start + stop.len(), start, stop))
        });
        let (_, start, stop) = found.min()?;
        self.reached = Some(stop.clone());
        Some(start)
    }
}

/// How many bytes at the end of the text are the start of the stop text, but not all of it.
fn overlap(text: &str, stop: &str) -> usize {
    (1..stop.len())
        .rev()
        .find(|length| {
            stop.get(..*length)
                .is_some_and(|start| text.ends_with(start))
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text that passes, and whether it was cut.
    fn run(stops: &[String], pieces: &[&str]) -> (String, bool) {
        let mut seen = String::new();
        let mut cutter = StopCutter::new(stops.to_vec());
        for piece in pieces {
            cutter.push(piece, &mut |text| seen.push_str(text));
        }
        cutter.finish(&mut |text| seen.push_str(text));
        (seen, cutter.reached().is_some())
    }

    #[track_caller]
    fn check(stops: &[&str], pieces: &[&str], expected: &str, cut: bool) {
        let stops: Vec<_> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        assert_eq!(run(&stops, pieces), (expected.to_owned(), cut));
    }

    #[test]
    fn the_answer_ends_before_the_first_complete_stop() {
        check(&[], &["a", "b"], "ab", false);
        check(&["END"], &["one EN", "D two"], "one ", true);
        check(&["END"], &["one EN", "TER"], "one ENTER", false);
        check(&["END"], &["one EN"], "one EN", false);
        check(&["\n", "b"], &["abc\n"], "a", true);
        check(&["abcd", "b"], &["abcd"], "a", true);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_answer(
            text in "[abé]{0,12}",
            stops in prop::collection::vec("[abé]{1,3}", 0..3),
            cuts in prop::collection::vec(0..24usize, 0..6),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().filter(|at| text.is_char_boundary(*at)).collect();
            cuts.sort_unstable();
            let mut from = 0;
            let mut pieces = Vec::new();
            for to in cuts.into_iter().chain([text.len()]) {
                pieces.extend(text.get(from..to));
                from = to;
            }
            let (seen, cut) = run(&stops, &pieces);
            prop_assert_eq!((&seen, cut), (&run(&stops, &[&text]).0, cut));
            prop_assert!(stops.iter().all(|stop| !seen.contains(stop.as_str())));
            prop_assert!(text.starts_with(&seen));
            prop_assert!(cut || seen == text);
        }
    }
}
