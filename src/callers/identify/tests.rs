use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::*;
use crate::config::CallerSettings;

fn hash(key: &str) -> String {
    KeyDigest::of(key.as_bytes()).to_string()
}

fn callers(mode: &str) -> Callers {
    let settings = json!({
        "mode": mode,
        "master_key": hash("the-master"),
        "entries": [
            {"name": "a", "id": "0a", "keys": [{"sha256": hash("key-a")}, {"sha256": hash("key-old"), "expires_at": 100}]},
            {"name": "b", "keys": [{"sha256": hash("key-b")}], "expires_at": 200},
            {"name": "off", "enabled": false, "keys": [{"sha256": hash("key-off")}]},
        ]
    });
    let settings: CallerSettings = serde_json::from_value(settings).unwrap();
    assert_eq!(settings.faults(), []);
    Callers::new(Some(settings))
}

/// The caller's name, nothing, or the code of the refusal.
fn identify(callers: &Callers, headers: &[(&str, &str)], at: u64) -> Result<String, &'static str> {
    let fields = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    let now = UNIX_EPOCH + Duration::from_secs(at);
    let found = callers.identify(&fields, &[], Some(now));
    found
        .map(|caller| caller.map_or_else(|| "nobody".to_owned(), |own| own.name().to_owned()))
        .map_err(|refused| refused.code())
}

#[track_caller]
fn check(mode: &str, headers: &[(&str, &str)], expected: Result<&str, &'static str>) {
    let seen = identify(&callers(mode), headers, 99);
    assert_eq!(seen, expected.map(str::to_owned), "{mode} {headers:?}");
}

#[test]
fn a_key_may_come_in_any_of_the_usual_headers() {
    for headers in [
        [("authorization", "Bearer key-a")],
        [("authorization", "bEARER   key-a ")],
        [("x-api-key", "key-a")],
        [("x-api-key", "Bearer key-a")],
        [("api-key", "key-a")],
    ] {
        check("required", &headers, Ok("a"));
        check("optional", &headers, Ok("a"));
        check("off", &headers, Ok("nobody"));
    }
    check("required", &[("api-key", "the-master")], Ok("master"));
}

#[test]
fn what_is_not_a_key_is_refused() {
    let missing = Err("missing_api_key");
    check("required", &[], missing);
    for headers in [
        [("authorization", "key-a")],
        [("authorization", "Basic key-a")],
        [("authorization", "Bearer ")],
        [("x-api-key", "")],
        [("x-key", "key-a")],
    ] {
        check("required", &headers, missing);
        check("optional", &headers, Ok("nobody"));
    }
    for headers in [
        [("authorization", "Bearer key-A")],
        [("api-key", "key")],
        [("x-api-key", "key-a,key-a")],
    ] {
        check("required", &headers, Err("invalid_api_key"));
        check("optional", &headers, Ok("nobody"));
    }
    let own_hash = hash("key-a");
    check(
        "required",
        &[("x-api-key", &own_hash)],
        Err("invalid_api_key"),
    );
}

#[test]
fn of_several_keys_the_first_known_one_counts_whatever_order_they_are_sent_in() {
    let one = ("authorization", "Bearer key-a");
    let other = ("x-api-key", "key-b");
    check("required", &[one, other], Ok("a"));
    check("required", &[other, one], Ok("a"));
    check(
        "required",
        &[("authorization", "Bearer dummy"), other],
        Ok("b"),
    );
    check(
        "required",
        &[("authorization", "Bearer dummy"), one],
        Ok("a"),
    );
}

#[test]
fn who_is_known_but_no_longer_served_is_refused_in_every_mode() {
    for mode in ["optional", "required"] {
        let callers = callers(mode);
        let at = |key, at| identify(&callers, &[("api-key", key)], at);
        assert_eq!(at("key-old", 99), Ok("a".to_owned()));
        assert_eq!(at("key-old", 100), Err("expired_api_key"));
        assert_eq!(at("key-b", 199), Ok("b".to_owned()));
        assert_eq!(at("key-b", 200), Err("caller_expired"));
        assert_eq!(at("key-off", 0), Err("caller_disabled"));
        let fields = [("api-key", b"key-b".as_slice())].into_iter();
        assert!(
            callers.identify(&fields, &[], None).is_err(),
            "without a time"
        );
    }
}

#[test]
fn what_keeps_its_id_when_it_is_renamed_is_told() {
    let callers = callers("required");
    let ids = |key: &str| {
        let fields = [("api-key", key.as_bytes())].into_iter();
        let caller = callers
            .identify(&fields, &[], Some(UNIX_EPOCH))
            .unwrap()
            .unwrap();
        caller.id().to_owned()
    };
    assert_eq!([ids("key-a"), ids("key-b")], ["0a", "b"]);
}

#[test]
fn an_error_says_where_to_put_a_key_and_never_repeats_one() {
    let callers = callers("required");
    let message = |headers: &[(&str, &str)]| {
        let fields = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        callers
            .identify(&fields, &[], None)
            .unwrap_err()
            .error()
            .message
    };
    let missing = message(&[]);
    assert!(
        missing.contains("`authorization: Bearer <key>` or `x-api-key: <key>`"),
        "{missing}"
    );
    let wrong = message(&[("x-api-key", "sk-hush")]);
    assert!(!wrong.contains("hush"), "{wrong}");
}

/// What usage records say of it.
fn word(foreseen: Result<Option<Arc<Caller>>, Refused>) -> &'static str {
    foreseen.map_or_else(|refused| refused.code(), |_| SERVED)
}

#[test]
fn what_a_need_for_keys_would_change_is_foreseen_in_every_mode() {
    for mode in ["off", "optional", "required"] {
        let callers = callers(mode);
        let now = Some(UNIX_EPOCH + Duration::from_secs(150));
        let foresee = |key: &str| {
            let fields = [("api-key", key.as_bytes())].into_iter();
            word(callers.foresee(&fields, &[], now))
        };
        assert_eq!(foresee("key-a"), SERVED, "{mode}");
        assert_eq!(foresee("the-master"), SERVED);
        assert_eq!(foresee("dummy"), "invalid_api_key");
        assert_eq!(foresee("key-old"), "expired_api_key");
        assert_eq!(foresee("key-off"), "caller_disabled");
        assert_eq!(
            word(callers.foresee(&std::iter::empty(), &[], now)),
            "missing_api_key"
        );
    }
    assert!(!Callers::new(None).can_be_told_apart());
}

#[test]
fn the_key_that_was_sent_is_known_by_the_start_of_its_hash() {
    let callers = callers("required");
    for key in ["key-a", "key-old"] {
        let fields = [("api-key", key.as_bytes())].into_iter();
        let caller = callers.identify(&fields, &[], Some(UNIX_EPOCH)).unwrap();
        let mark = caller.unwrap().key().unwrap().to_string();
        assert_eq!(mark, hash(key)[..12]);
    }
}

/// The same for a client that Envoy knows by these identities.
#[track_caller]
fn check_known(known: &[&str], headers: &[(&str, &str)], expected: Result<&str, &'static str>) {
    let settings = json!({
        "mode": "required",
        "identities": {"jwt": {"claims": ["sub"]}, "certificate": "uri_san", "header": "x-bedrock-caller"},
        "entries": [
            {"name": "a", "keys": [{"sha256": hash("key-a")}], "identities": ["header:a"]},
            {"name": "b", "identities": ["jwt:sub=team-b/*", "certificate:spiffe://b"]},
            {"name": "c", "identities": ["jwt:sub=team-b/c", "header:c"]},
            {"name": "off", "enabled": false, "identities": ["certificate:spiffe://off"]},
        ]
    });
    let settings: CallerSettings = serde_json::from_value(settings).unwrap();
    assert_eq!(settings.faults(), []);
    let fields = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    let known: Vec<_> = known.iter().map(|own| (*own).to_owned()).collect();
    let found = Callers::new(Some(settings)).identify(&fields, &known, Some(UNIX_EPOCH));
    let found = found.map(|caller| caller.unwrap().name().to_owned());
    let found = found.map_err(|refused| refused.code());
    assert_eq!(found, expected.map(str::to_owned), "{known:?} {headers:?}");
}

#[test]
fn who_sends_no_known_key_is_told_by_what_envoy_knows() {
    let (sub, certificate) = ("jwt:sub=team-b/x", "certificate:spiffe://b");
    check_known(&[sub], &[], Ok("b"));
    check_known(&["jwt:sub=team-b/c"], &[], Ok("c"));
    check_known(&[certificate], &[], Ok("b"));
    check_known(&["jwt:sub=other", certificate], &[], Ok("b"));
    check_known(&[sub], &[("authorization", "Bearer ey.the.token")], Ok("b"));
    check_known(&[], &[("x-bedrock-caller", "c")], Ok("c"));
    // A key says more than whose machine it is, and a verified token more than a header.
    check_known(&[sub], &[("api-key", "key-a")], Ok("a"));
    check_known(&[sub], &[("x-bedrock-caller", "a")], Ok("b"));
    check_known(&["jwt:sub=other"], &[("x-bedrock-caller", "a")], Ok("a"));
}

#[test]
fn who_is_known_to_envoy_alone_is_no_caller() {
    let unknown = Err("unknown_identity");
    check_known(&["jwt:sub=other"], &[], unknown);
    check_known(&["jwt:sub=other"], &[("api-key", "nobodys")], unknown);
    check_known(&["certificate:spiffe://off"], &[], Err("caller_disabled"));
    check_known(&[], &[("x-bedrock-caller", "z")], unknown);
    // One of the two may be the client's own.
    let two = [("x-bedrock-caller", "a"), ("x-bedrock-caller", "a")];
    check_known(&[], &two, Err("missing_api_key"));
    check_known(&[], &[("x-bedrock-caller", " ")], Err("missing_api_key"));
    check_known(&[], &[("x-caller", "a")], Err("missing_api_key"));
}
