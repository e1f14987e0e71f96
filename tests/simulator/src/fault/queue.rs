//! The faults that wait, and which request takes which.

use super::{Effect, Fault, Operation};

/// The faults that wait, first in first out.
#[derive(Debug, Default)]
pub(crate) struct FaultQueue(Vec<Waiting>);

/// A fault, and how many requests it may let pass before its turn.
#[derive(Debug)]
struct Waiting {
    fault: Fault,
    to_pass: u32,
}

impl FaultQueue {
    pub(crate) fn push(&mut self, fault: Fault) {
        if fault.times > 0 {
            let to_pass = fault.passes();
            self.0.push(Waiting { fault, to_pass });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn pending(&self) -> Vec<Fault> {
        self.0.iter().map(|waiting| waiting.fault.clone()).collect()
    }

    /// Takes one use of the first fault that fits.
    pub(crate) fn take(&mut self, subject: Subject<'_>) -> Option<Fault> {
        let at = self
            .0
            .iter_mut()
            .position(|waiting| waiting.hits(subject))?;
        let waiting = self.0.get_mut(at)?;
        waiting.fault.times -= 1;
        let taken = waiting.fault.clone();
        if taken.times == 0 {
            self.0.remove(at);
        }
        Some(taken)
    }
}

impl Waiting {
    /// Whether it applies to a request; one that it lets pass is counted.
    fn hits(&mut self, subject: Subject<'_>) -> bool {
        if !self.fault.fits(subject) {
            return false;
        }
        if self.to_pass > 0 {
            self.to_pass -= 1;
            return false;
        }
        self.to_pass = self.fault.passes();
        true
    }
}

/// What a fault is matched against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) model: &'a str,
    pub(crate) operation: Operation,
    pub(crate) region: &'a str,
    pub(crate) access_key_id: Option<&'a str>,
}

impl Fault {
    /// Requests between two that it applies to.
    fn passes(&self) -> u32 {
        self.every.saturating_sub(1)
    }

    fn fits(&self, subject: Subject<'_>) -> bool {
        let when = &self.when;
        let same = |wanted: &Option<String>, got: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == got
        };
        when.model
            .as_ref()
            .is_none_or(|part| subject.model.contains(part))
            && when
                .operation
                .is_none_or(|wanted| wanted == subject.operation)
            && same(&when.region, Some(subject.region))
            && same(&when.access_key_id, subject.access_key_id)
            && (subject.operation.streams() || !self.effect.needs_stream())
    }
}

impl Effect {
    fn needs_stream(&self) -> bool {
        matches!(
            self,
            Self::Exception { .. } | Self::Truncate { .. } | Self::CorruptFrame { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::When;
    use super::*;

    const PLAIN: Subject<'static> = Subject {
        model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        operation: Operation::Invoke,
        region: "us-east-1",
        access_key_id: Some("AKIDEXAMPLE"),
    };

    #[test]
    fn faults_leave_in_order_and_as_often_as_asked() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::throttling().times(2));
        queue.push(Fault::empty(500));
        queue.push(Fault::empty(502).times(0));
        let names: Vec<_> = std::iter::from_fn(|| queue.take(PLAIN))
            .map(|fault| fault.effect.name())
            .collect();
        assert_eq!(names, ["error", "error", "raw"]);
    }

    #[test]
    fn a_fault_may_let_requests_pass_between() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::throttling().every(3).times(2));
        queue.push(Fault::empty(500).times(3));
        let taken = |queue: &mut FaultQueue| queue.take(PLAIN).map(|fault| fault.effect.name());
        let seen: Vec<_> = (0..7).map(|_| taken(&mut queue)).collect();
        let (first, second) = (Some("error"), Some("raw"));
        assert_eq!(seen, [second, second, first, second, None, first, None]);
    }

    #[test]
    fn a_fault_waits_for_a_request_that_fits() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::exception(1, "throttlingException", "slow"));
        queue.push(Fault::throttling().only(When {
            region: Some("eu-west-1".into()),
            ..When::default()
        }));
        queue.push(Fault::empty(500).only(When {
            model: Some("opus".into()),
            ..When::default()
        }));
        assert_eq!(queue.take(PLAIN), None);
        let stream = Subject {
            operation: Operation::InvokeStream,
            ..PLAIN
        };
        assert_eq!(queue.take(stream).unwrap().effect.name(), "exception");
        let elsewhere = Subject {
            region: "eu-west-1",
            ..PLAIN
        };
        assert_eq!(queue.take(elsewhere).unwrap().effect.name(), "error");
        assert_eq!(queue.pending().len(), 1);
    }

    #[test]
    fn the_json_form_is_short_and_strict() {
        let text = r#"{"effect": {"error": {"status": 429, "name": "ThrottlingException", "message": "m", "headers": {"retry-after": "1"}}}, "times": 2}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(fault.times, 2);
        let unit: Fault = serde_json::from_str(r#"{"effect": "close"}"#).unwrap();
        assert_eq!(unit, Fault::new(Effect::Close));
        for bad in [
            r#"{"effekt": "close"}"#,
            r#"{"effect": {"cut": {}}}"#,
            r#"{"effect": "no"}"#,
        ] {
            assert!(serde_json::from_str::<Fault>(bad).is_err(), "{bad}");
        }
    }
}
