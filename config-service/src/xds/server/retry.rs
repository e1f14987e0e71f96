//! When a plugin configuration that was refused, or taken without its module, is sent again.
//!
//! Envoy does not say when it has fetched the module that it refused a configuration for:
//! <https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/wasm/v3/wasm.proto>.

use std::time::Duration;

use tokio::time::Instant;

/// Time to the first repetition; it doubles with each.
const BASE: Duration = Duration::from_millis(100);

/// Time until an Envoy that is starting is asked again. While it compiles the module it does not
/// read, so this need not be long enough for that.
const CONFIRM: Duration = Duration::from_millis(500);

/// Longest time between two repetitions. Envoy remembers a failed fetch for about as long.
const LONGEST: Duration = Duration::from_secs(15);

/// The time of the next repetition on one stream.
#[derive(Debug, Default)]
pub(super) struct Retry {
    at: Option<Instant>,
}

impl Retry {
    /// Plans the repetition that follows so many refusals; none without any.
    pub(super) fn set(&mut self, refusals: Option<u32>) {
        self.at = refusals.and_then(|refusals| Instant::now().checked_add(delay(refusals)));
    }

    /// Waits until a repetition is due; for ever when none is.
    pub(super) async fn due(&mut self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
        self.at = None;
    }
}

/// Time between the refusal with this number, from 1, and the repetition.
fn delay(refusals: u32) -> Duration {
    let Some(doublings) = refusals.checked_sub(1) else {
        return CONFIRM;
    };
    let factor = 2_u32.saturating_pow(doublings);
    BASE.saturating_mul(factor).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_limit() {
        let millis = [0, 1, 2, 3, 7, 8, 9, u32::MAX].map(|refusals| delay(refusals).as_millis());
        assert_eq!(millis, [500, 100, 200, 400, 6400, 12_800, 15_000, 15_000]);
    }
}
