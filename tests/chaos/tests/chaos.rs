//! A minute of random faults under load. For another plan, or for longer:
//! `CHAOS_SEED=2 CHAOS_SECONDS=300 cargo xtask test chaos::`.

use chaos::Settings;

#[test]
fn nothing_is_lost_and_nothing_leaks_whatever_goes_wrong() {
    e2e::run(chaos::run(&Settings::chaos()));
}
