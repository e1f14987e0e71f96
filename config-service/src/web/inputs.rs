//! The elements of forms, each with its hint and its notes.

use maud::{Markup, html};

use super::fields::Values;
use super::validate::Notes;

/// A select's choices: value and text.
pub(super) type Choices = &'static [(&'static str, &'static str)];

/// A form's entries, and what is to be said about them.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) values: &'a Values,
    pub(super) notes: &'a Notes,
}

impl Inputs<'_> {
    /// A line of text.
    pub(super) fn input(self, name: &str, label: &str, hint: &str) -> Markup {
        let own = self.notes.of(name);
        html! {
            div.field {
                label for=(name) { (label) }
                input type="text" id=(name) name=(name) value=(self.values.get(name))
                    aria-describedby={ (name) "-hint " (name) "-notes" }
                    aria-invalid=[own.has_faults().then_some("true")] autocomplete="off";
                small #{ (name) "-hint" } { (hint) }
                (own.render(name))
            }
        }
    }

    /// Several lines.
    pub(super) fn area(self, name: &str, label: &str, hint: &str) -> Markup {
        let own = self.notes.of(name);
        html! {
            div.field {
                label for=(name) { (label) }
                small #{ (name) "-hint" } { (hint) }
                textarea id=(name) name=(name) rows="3" spellcheck="false"
                    aria-describedby={ (name) "-hint " (name) "-notes" }
                    aria-invalid=[own.has_faults().then_some("true")] { (self.values.get(name)) }
                (own.render(name))
            }
        }
    }

    /// A map, as text or as a table; without a label it has its name in the API.
    pub(super) fn map(self, name: &str, label: Option<&str>, hint: &str) -> Markup {
        let own = self.notes.of(name);
        html! {
            div.field.map data-map=(name) {
                div.label-row {
                    label for=(name) { @match label { Some(text) => (text), None => code { (name) } } }
                    span.tools hidden {
                        button.quiet type="button" data-format { "Format" }
                        button.quiet type="button" data-table aria-expanded="false" { "Table" }
                    }
                }
                small #{ (name) "-hint" } { (hint) }
                textarea id=(name) name=(name) rows="6" spellcheck="false" autocomplete="off"
                    aria-describedby={ (name) "-hint " (name) "-notes" }
                    aria-invalid=[own.has_faults().then_some("true")] { (self.values.get(name)) }
                (own.render(name))
            }
        }
    }

    /// One of a few values.
    pub(super) fn select(self, name: &str, label: &str, choices: Choices) -> Markup {
        html! {
            div.field {
                label for=(name) { (label) }
                select id=(name) name=(name) {
                    @for (value, text) in choices {
                        option value=(value) selected[self.values.get(name) == *value] { (text) }
                    }
                }
                (self.notes.of(name).render(name))
            }
        }
    }

    /// A checkbox.
    pub(super) fn tick(self, name: &str, label: &str) -> Markup {
        html! {
            label.tick {
                input type="checkbox" name=(name) value="on" checked[!self.values.get(name).is_empty()];
                " " (label)
            }
        }
    }

    /// All faults at once, each with a link to its field.
    pub(super) fn summary(self) -> Markup {
        let faults: Vec<_> = self.notes.faults().collect();
        html! {
            @if !faults.is_empty() {
                section.notice.error role="alert" #faults {
                    h2 { "Nothing was saved" }
                    ul {
                        @for fault in faults {
                            li { a href={ "#" (fault.field) } { (fault.field) } ": " (fault.text()) }
                        }
                        @if self.notes.more() > 0 { li { "and " (self.notes.more()) " more" } }
                    }
                }
            }
        }
    }
}
