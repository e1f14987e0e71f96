//! Where the login may lead: only to pages of this service.

use url::{Position, Url};

/// The start page.
const START: &str = "/channels";

/// First path segments of the pages to which a login may lead.
const PAGES: [&str; 10] = [
    "api-reference",
    "callers",
    "channels",
    "credentials",
    "explain",
    "export",
    "history",
    "model-choices",
    "tokens",
    "usage",
];

/// A placeholder for this service's origin, whatever it is.
const HERE: &str = "http://here.invalid/";

/// The wanted place, if it is a page of this service.
pub(super) fn own(wanted: Option<&str>) -> String {
    let own = wanted.and_then(page);
    own.unwrap_or_else(|| START.to_owned())
}

/// Path and query, parsed like browsers do, which drop tabs and newlines and treat a backslash as a slash:
/// what looks like a path can name another host. <https://url.spec.whatwg.org/#url-parsing>
fn page(wanted: &str) -> Option<String> {
    let here = Url::parse(HERE).ok()?;
    let place = here.join(wanted).ok()?;
    let first = place.path_segments()?.next()?;
    let is_own = place.origin() == here.origin() && PAGES.contains(&first);
    is_own.then(|| place[Position::BeforePath..Position::AfterQuery].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_service_are_allowed() {
        for place in [
            "/channels",
            "/channels?saved=a",
            "/callers",
            "/usage",
            "/channels/3f2c/history?before=7",
            "/export/istio?selector=app%3Dgateway",
            "/explain?channel=a%2Fb",
            "/history",
            "/model-choices?name=fast",
            "/tokens",
            "/api-reference",
        ] {
            assert_eq!(own(Some(place)), place);
        }
        assert_eq!(own(None), START);
    }

    #[test]
    fn other_places_are_not_allowed() {
        for place in [
            "",
            "/",
            "//evil.example",
            "///evil.example",
            "/\t/evil.example",
            "/\n/evil.example/channels",
            "/\r\n/evil.example",
            "\t//evil.example",
            " //evil.example/channels",
            "/\\evil.example/channels",
            "\\\\evil.example/channels",
            "\\/evil.example",
            "/\t\\evil.example/channels",
            "/.//evil.example/channels",
            "/channels/../..//evil.example",
            "/channels/%2e%2e//evil.example",
            "/%09/evil.example",
            "/%2Fevil.example",
            "/%5Cevil.example",
            "%2F%2Fevil.example",
            "https://evil.example/channels",
            "http:evil.example/channels",
            "http:///evil.example/channels",
            "https:channels",
            "http://here.invalid:81/channels",
            "http://here.invalid@evil.example/channels",
            "//here.invalid:81/channels",
            "javascript:alert(1)",
            "data:text/html,channels",
            "/logout",
            "/login?next=/channels",
            "/api/channels",
            "/elsewhere",
        ] {
            assert_eq!(own(Some(place)), START, "{place:?}");
        }
    }

    #[test]
    fn the_target_is_encoded_so_that_it_cannot_be_misread() {
        for (wanted, place) in [
            ("/chan\tnels", "/channels"),
            (
                "/channels/\r\nset-cookie: a=b",
                "/channels/set-cookie:%20a=b",
            ),
            ("/channels?a=\r\nb\u{e9}", "/channels?a=b%C3%A9"),
            ("/channels\\..\\history", "/history"),
            ("/channels#part", "/channels"),
        ] {
            assert_eq!(own(Some(wanted)), place, "{wanted:?}");
        }
    }
}
