//! Everything that goes wrong, one module per kind, and how the lanes of a plan are run.

pub mod clients;
pub mod control;
pub mod upstream;

use std::time::Duration;

use tokio::time::sleep;

use crate::settings::Tempo;
use crate::story::Story;

/// Unit of the pauses in a gentle run.
const GENTLE: Duration = Duration::from_millis(250);

/// Waits before a step; returns whether it should still be taken.
pub async fn pause(story: &Story, tempo: Tempo, units: u32) -> bool {
    match tempo {
        Tempo::Storm => story.wait_answered(units).await,
        Tempo::Gentle => {
            for _ in 0..units {
                if !story.is_over() {
                    sleep(GENTLE).await;
                }
            }
        }
    }
    !story.is_over()
}
