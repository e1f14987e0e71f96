//! What the demo prints once everything runs: addresses and commands to paste.

use super::Site;
use super::backend::Backend;
use crate::console;

pub(super) fn show(site: &Site<'_>, key: &str, channel: Option<&str>) {
    let mut text = addresses(site, key);
    if let Some(channel) = channel {
        text.push_str(&chats(site, key));
        text.push_str(&edit(site, channel));
    }
    text.push_str(&status(site));
    text.push_str("\nPress Ctrl-C to stop everything.");
    console::print(&text);
}

fn addresses(site: &Site<'_>, key: &str) -> String {
    let mut text = format!(
        "\nEverything runs.\n\n  \
         OpenAI API (Envoy)   {}/v1   with the key {key}\n  \
         admin page           {}   log in with the token {}\n  \
         admin API            {}/api   the same token\n  \
         xDS                  127.0.0.1:{}\n  \
         Envoy admin          http://127.0.0.1:{}\n",
        site.gateway(),
        site.admin(),
        site.token,
        site.admin(),
        site.ports.xds,
        site.ports.envoy_admin,
    );
    match site.backend {
        Backend::Simulator => text.push_str(&format!(
            "  Bedrock simulator    http://127.0.0.1:{}   received: /_simulator/requests\n",
            site.ports.simulator
        )),
        Backend::Aws(_) => text.push_str("  Amazon Bedrock answers; usage is billed.\n"),
        Backend::Empty => text.push_str("  There is no channel yet: POST one to /api/channels.\n"),
    }
    text
}

fn chats(site: &Site<'_>, key: &str) -> String {
    let chat = |flags: &str, stream: &str| {
        format!(
            "curl {flags}{}/v1/chat/completions -H 'authorization: Bearer {key}' \\\n  \
             -H 'content-type: application/json' \\\n  \
             -d '{{\"model\":\"{}\",{stream}\"messages\":[{{\"role\":\"user\",\"content\":\"Hello!\"}}]}}'\n",
            site.gateway(),
            site.model
        )
    };
    format!(
        "\nA chat:\n{}\nA stream:\n{}",
        chat("", ""),
        chat("-N ", "\"stream\":true,")
    )
}

fn edit(site: &Site<'_>, channel: &str) -> String {
    let (arn, remark) = match site.backend {
        Backend::Aws(_) => ("ARN", " (replace ARN with your own inference profile)"),
        Backend::Simulator | Backend::Empty => (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/xyz789ghi012",
            "",
        ),
    };
    format!(
        "\nTo use another inference profile for {model} from the next request on{remark}:\ncurl -X \
         PATCH {}/api/channels/{channel} -H 'authorization: Bearer {}' \\\n  -H 'content-type: \
         application/json' \\\n  -d \
         '{{\"inference_profile_arn_map\":{{\"{model}\":\"{arn}\"}}}}'\n",
        site.admin(),
        site.token,
        model = site.model,
    )
}

fn status(site: &Site<'_>) -> String {
    format!(
        "\nTo see which revision is active in which Envoy:\ncurl {}/api/status -H 'authorization: \
         Bearer {}'\n",
        site.admin(),
        site.token
    )
}
