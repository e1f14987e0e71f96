//! Users of the admin address. The config-service may be down; then there is no answer.

use e2e::{ADMIN_TOKEN, Reply};
use reqwest::Method;

use super::Street;
use crate::secrets::{self, SECRET_MARK};

/// Pages with and without a login.
const PAGES: [&str; 8] = [
    "/",
    "/api/channels",
    "/api/status",
    "/api/export/istio?namespace=n&selector=istio%3Dx",
    "/api/export/plugin-config",
    "/api/openapi.json",
    "/healthz",
    "/metrics",
];

pub(super) async fn wrong_tokens(street: &Street, tokens: u32) -> Result<(), String> {
    let page = "/api/status";
    for number in 0..tokens {
        let token = format!("{SECRET_MARK}wrong-{number}");
        if let Some(reply) = ask(street, Method::GET, page, &token).await
            && reply.status != 401
        {
            return Err(format!("a wrong token got {reply:?}"));
        }
    }
    // Nor does that affect other users.
    match ask(street, Method::GET, page, ADMIN_TOKEN).await {
        Some(reply) if reply.status != 200 => Err(format!("the right token got {reply:?}")),
        _ => Ok(()),
    }
}

pub(super) async fn made_up(street: &Street, requests: u32) {
    for number in 0..requests {
        let method = Method::from_bytes(format!("BREW{number}").as_bytes()).expect("a method");
        ask(street, method, &format!("/api/none-{number}"), ADMIN_TOKEN).await;
    }
}

pub(super) async fn curious(street: &Street) -> Result<(), String> {
    for page in PAGES {
        if let Some(reply) = ask(street, Method::GET, page, ADMIN_TOKEN).await {
            secrets::check_silent(&reply.text, page)?;
        }
    }
    Ok(())
}

async fn ask(street: &Street, method: Method, path: &str, token: &str) -> Option<Reply> {
    let request = street.client.request(method, street.doors.admin(path));
    let answer = request.bearer_auth(token).send().await;
    Some(Reply::read(answer.ok()?).await)
}
