//! Lets an Envoy's requests finish, through its admin interface.
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/operations/admin>

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, Request, Url};

use crate::outbound::Outbound;

/// Pause between two looks at the requests in progress.
const POLL: Duration = Duration::from_millis(100);

/// Its requests in progress, of all HTTP connection managers.
const ACTIVE: &str = "/stats?filter=downstream_rq_active$";

/// The admin interface's own connection manager, to which the question itself belongs.
const OWN: &str = "http.admin.";

/// Closes Envoy's listeners and waits until no request is in progress, or until `patience` has run out.
pub(super) async fn drain(admin: SocketAddr, patience: Duration) {
    let admin = Admin {
        address: admin,
        client: Outbound::default(),
    };
    let drained = async {
        // Answers say `connection: close` from now on.
        admin.call(Method::POST, "/healthcheck/fail").await?;
        admin.call(Method::POST, "/drain_listeners").await?;
        while active(&admin.call(Method::GET, ACTIVE).await?) > 0 {
            tokio::time::sleep(POLL).await;
        }
        Some(())
    };
    match tokio::time::timeout(patience, drained).await {
        Ok(Some(())) => {}
        Ok(None) => tracing::warn!(
            "Envoy's admin interface does not answer, so requests in progress are cut"
        ),
        Err(_) => tracing::warn!(
            "requests in progress are cut; --envoy-stop-seconds gives them more time"
        ),
    }
}

struct Admin {
    address: SocketAddr,
    client: Outbound,
}

impl Admin {
    async fn call(&self, method: Method, path: &str) -> Option<String> {
        let url = Url::parse(&format!("http://{}{path}", self.address)).ok()?;
        let answer = self.client.call(Request::new(method, url)).await.ok()?;
        answer.text().await.ok()
    }
}

/// The sum of the gauges in a text, such as `http.openai.downstream_rq_active: 2`.
fn active(stats: &str) -> u64 {
    let gauges = stats.lines().filter(|line| line.starts_with("http."));
    let gauges = gauges.filter(|line| !line.starts_with(OWN));
    let values = gauges.filter_map(|line| line.split_once(": ")?.1.trim().parse::<u64>().ok());
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_progress_are_those_of_clients() {
        let stats = "http.admin.downstream_rq_active: 1\nhttp.openai.downstream_rq_active: 2\n\
                     http.other.downstream_rq_active: 3\n\
                     listener.0.0.0.0_10000.http.openai.downstream_rq_active: 2\n";
        assert_eq!(active(stats), 5);
        assert_eq!(active(""), 0);
    }
}
