//! The pages about usage.

use maud::{Markup, html};

/// Each page: its address and name.
const PAGES: [(&str, &str); 3] = [
    ("/usage", "Usage"),
    ("/usage/budgets", "Budgets"),
    ("/usage/prices", "Prices"),
];

/// The heading of one of them, with links to the others.
pub(super) fn heading(place: &str) -> Markup {
    let title = PAGES.iter().find(|(own, _)| *own == place);
    html! {
        div.heading {
            h1 { (title.map_or("Usage", |(_, name)| name)) }
            nav.tabs aria-label="About usage" {
                @for (address, name) in PAGES {
                    a href=(address) aria-current=[(address == place).then_some("page")] { (name) }
                }
            }
        }
    }
}

/// What all of them say where nothing is recorded.
pub(super) fn not_recorded() -> Markup {
    html! {
        p.card {
            "Usage is not recorded. Start the config-service with " code { "--usage-database" }
            ", and Envoys report what requests use."
        }
    }
}
