//! Connections that break, before an answer and in it.

use super::*;

#[test]
fn a_connection_that_was_closed_in_between_is_not_the_channels_fault() {
    let routes = routes(&[("a", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let ask = || plan(&picker, &routes).0;
    let answered = ask();
    answered.begin_attempt("a", now()).unwrap();
    answered.heard();
    answered.answered();
    drop(picker.take_events());
    // The connection is a used one now.
    let request = ask();
    request.begin_attempt("a", now()).unwrap();
    assert!(request.is_last());
    assert!(request.begin_attempt("a", now()).is_some(), "one more");
    assert_eq!(counted(&picker), [(EventKind::Attempt, "stale_connection")]);
    // And only one, whose connection was new.
    assert!(request.begin_attempt("a", now()).is_none());
    let cooled = [EventKind::Attempt, EventKind::Cooldown];
    assert_eq!(counted(&picker), cooled.map(|kind| (kind, "unavailable")));
    assert!(!request.timed_out());
}

#[test]
fn a_connection_that_breaks_within_an_answer_was_not_closed_before_it() {
    let routes = routes(&[("a", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let (request, _) = plan(&picker, &routes);
    request.begin_attempt("a", now()).unwrap();
    request.heard();
    assert!(request.begin_attempt("a", now()).is_none());
    let cooled = [EventKind::Attempt, EventKind::Cooldown];
    assert_eq!(counted(&picker), cooled.map(|kind| (kind, "unavailable")));
    // The next request finds no connection that was used.
    let later = now() + Duration::from_secs(2);
    let (request, _) = start(&picker, &routes, body(), later).unwrap();
    request.begin_attempt("a", later).unwrap();
    assert!(request.begin_attempt("a", later).is_none());
}

#[test]
fn an_answer_that_ends_badly_shows_what_its_beginning_did_not() {
    let routes = routes(&[("a", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let shown = || {
        let seen = picker.take_seen().into_iter();
        seen.map(|own| own.trouble).collect::<Vec<_>>()
    };
    for (end, expected) in [
        (None, vec![]),
        (Some(Trouble::Throttled), vec![Some(Trouble::Throttled)]),
    ] {
        let (request, _) = plan(&picker, &routes);
        assert!(request.answer().is_none());
        request.begin_attempt("a", now()).unwrap();
        request.answered();
        assert_eq!(shown(), [None]);
        let answer = request.answer().unwrap();
        // The client's body is not kept for as long as its answer takes.
        drop(request);
        assert!(answer.is_open());
        answer.ended(end);
        answer.ended(Some(Trouble::Unavailable));
        assert!(!answer.is_open());
        assert_eq!(shown(), expected);
    }
}

#[test]
fn a_channel_that_never_answered_or_takes_too_long_gets_no_second_attempt() {
    let routes = routes(&[("a", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let (request, _) = plan(&picker, &routes);
    request.begin_attempt("a", now()).unwrap();
    assert!(request.begin_attempt("a", now()).is_none());
    assert!(!request.timed_out());

    let (request, first) = plan(&picker, &routes);
    request.begin_attempt("a", now()).unwrap();
    request.heard();
    request.answered();
    let (request, _) = plan(&picker, &routes);
    request.begin_attempt("a", now()).unwrap();
    let late = now() + first.timeout;
    assert!(request.begin_attempt("a", late).is_none());
    assert!(request.timed_out());
}
