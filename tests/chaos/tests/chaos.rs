//! A minute of random faults under load. Another plan: `CHAOS_SEED=2 cargo xtask test chaos -- --ignored`.

use chaos::Settings;

#[test]
#[ignore = "takes minutes: `cargo xtask test chaos -- --ignored`"]
fn nothing_is_lost_and_nothing_leaks_whatever_goes_wrong() {
    e2e::run(chaos::run(&Settings::chaos()));
}
