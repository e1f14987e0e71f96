//! The same for hours, at a gentler rate: `cargo xtask soak --hours 2`.

use chaos::Settings;

#[test]
#[ignore = "takes hours"]
fn nothing_is_lost_and_nothing_leaks_in_hours() {
    e2e::run(chaos::run(&Settings::soak()));
}
