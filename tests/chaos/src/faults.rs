//! Everything that goes wrong, a room for each kind, and how each lane of a plan is walked.

pub mod clients;
pub mod control;
pub mod upstream;

use std::time::Duration;

use tokio::time::sleep;

use crate::settings::Tempo;
use crate::story::Story;

/// Unit of the pauses of a gentle run.
const GENTLE: Duration = Duration::from_millis(250);

/// Waits before a step; whether it shall still be taken.
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
