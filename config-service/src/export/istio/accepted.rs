//! What Kubernetes, Istio and Envoy accept as a name, a label or an address.

use url::{Host, Url};

/// Longest label of a name, and longest name and value of a label, in bytes.
pub(super) const MAX_LABEL_LEN: usize = 63;

/// Longest name, and longest prefix of a label's key.
const MAX_NAME_LEN: usize = 253;

/// Whether a text is a label of a name (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).
pub(super) fn is_label(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=MAX_LABEL_LEN).contains(&text.len())
        && text.chars().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether a text is a name of labels with dots between.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_LEN && text.split('.').all(is_label)
}

/// Whether a text names one of Istio's `Gateway`s: its name, or `namespace/name`.
pub(super) fn is_gateway(text: &str) -> bool {
    match text.split_once('/') {
        Some((namespace, name)) => is_label(namespace) && is_name(name),
        None => is_name(text),
    }
}

/// Whether a text is a key of a label (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>).
pub(super) fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_name(prefix) && is_label_value(name),
        None => is_label_value(text),
    }
}

/// Whether a text is a value of a label that says anything.
pub(super) fn is_label_value(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_outer = |c: char| c.is_ascii_alphanumeric();
    text.len() <= MAX_LABEL_LEN
        && text.chars().all(is_inner)
        && text.starts_with(is_outer)
        && text.ends_with(is_outer)
}

/// Whether a text is a path of a file in a gateway's file system.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.ends_with('/')
}

/// The parts of `host:port`, if it is that.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|&port| is_number && port > 0)?;
    let is_as_it_is_read = match Host::parse(host).ok()? {
        // Without escapes, and without addresses in other forms, which not everybody reads in the same way.
        read @ (Host::Domain(_) | Host::Ipv4(_)) => read.to_string().eq_ignore_ascii_case(host),
        Host::Ipv6(_) => true,
    };
    is_as_it_is_read.then_some((host, port))
}

/// The host of a URL from which a gateway's agent can fetch a module.
pub(super) fn host_of_module(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_image = match url.scheme() {
        "http" | "https" => false,
        "oci" => true,
        _ => return None,
    };
    let names_something = !is_image || url.path().len() > 1;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    (names_something && !text.contains(char::is_whitespace)).then(|| host.to_owned())
}

/// Whether a host is another machine for whoever calls it: a gateway does not run where this service does.
pub(super) fn is_elsewhere(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name != "localhost" && !name.ends_with(".localhost")
        }
        Ok(Host::Ipv4(address)) => !address.is_loopback() && !address.is_unspecified(),
        Ok(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped();
            let is_here = mapped.is_some_and(|own| own.is_loopback() || own.is_unspecified());
            !is_here && !address.is_loopback() && !address.is_unspecified()
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is: impl Fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(is(text), "{text}");
        }
        for text in wrong {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn names_and_labels_are_those_of_kubernetes() {
        let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
        check(
            is_label,
            &["a", "a-1", &longest],
            &["", "-a", "a-", "A", "a.b", &too_long],
        );
        let gateways = ["llm", "edge/llm", "mesh", "a.b"];
        check(
            is_gateway,
            &gateways,
            &["", "/a", "a/", "BAD NAME!!/x/y", "a/b/c", "a..b"],
        );
        let keys = ["app", "istio", "app.kubernetes.io/name", "A_b.c"];
        check(
            is_label_key,
            &keys,
            &["", "a!", "a b", "/a", "a/", "a/b/c", "Up.io/a", &too_long],
        );
        let values = ["web", "1", "a_b.C-d", &longest];
        check(
            is_label_value,
            &values,
            &["", "b c", "{{x}}", "=b", "-a", "a_", &too_long],
        );
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let is = |text: &str| host_and_port(text).is_some();
        let right = [
            "config-service.bedrock:18000",
            "config_service:1",
            "cs.bedrock.svc.cluster.local.:18000",
            "10.0.0.7:18000",
            "[2001:db8::1]:18000",
        ];
        let wrong = [
            "config-service",
            "config-service:x",
            "config-service:+1",
            "config-service:0",
            "config-service:65536",
            ":18000",
            "a/b:1",
            "a b:1",
            "%61:1",
            "127.1:1",
            "2001:db8::1:18000",
        ];
        check(is, &right, &wrong);
    }

    #[test]
    fn a_gateway_is_another_machine() {
        let here = [
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "localhost.",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
        ];
        check(
            is_elsewhere,
            &["cs.bedrock", "10.0.0.7", "[2001:db8::1]"],
            &here,
        );
    }

    #[test]
    fn a_module_has_a_host() {
        let is = |text: &str| host_of_module(text).is_some();
        let right = [
            "http://a/x.wasm",
            "https://a:1/x.wasm",
            "oci://registry/filter:1",
        ];
        let wrong = [
            "oci://",
            "oci://registry",
            "oci:///x",
            "http://",
            "file:///x",
            "http://a/ x",
        ];
        check(is, &right, &wrong);
    }
}
