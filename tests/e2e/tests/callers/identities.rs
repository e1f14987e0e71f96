//! Callers that Envoy knows already: by a token, a client certificate, or a header of a filter in front.
//!
//! The filters are those of `docs/CALLERS.md`; channels and callers are in `envoy/static.yaml`.

use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedrock_simulator::Simulator;
use e2e::{
    Artefacts, Authority, Bootstrap, Envoy, PATIENCE, Reply, Scratch, examples, run,
    simulator_builder,
};
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use xtask::ports::{Ports, free_port};

const PAGE: &str = "docs/CALLERS.md";
const HEADING: &str = "## Callers that Envoy knows";

/// What the issuer of tokens signs with.
const SECRET: [u8; 32] = *b"a-secret-of-the-issuer-of-tokens";

/// An Envoy that verifies tokens and certificates, with callers that are told by them.
struct Gateway {
    envoy: Envoy,
    bedrock: Simulator,
    /// Issues certificates that its second listener trusts.
    authority: Authority,
    tls_port: u16,
    _scratch: Scratch,
}

/// The example of the page with this number.
fn documented(number: usize) -> Value {
    let example = examples(PAGE, HEADING, "yaml").swap_remove(number);
    serde_saphyr::from_str(&example).expect("valid YAML")
}

/// The page's filter for tokens, with keys of its own instead of an issuer's that it fetches.
fn jwt_filter() -> Value {
    let mut filter = documented(0);
    let provider = &mut filter["typed_config"]["providers"]["teams"];
    provider.as_object_mut().unwrap().remove("remote_jwks");
    let key =
        json!({"kty": "oct", "alg": "HS256", "kid": "k", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    let keys = json!({"keys": [key]}).to_string();
    provider["local_jwks"] = json!({"inline_string": keys});
    filter
}

/// Stands for a filter that finds out who the user is: it believes a header.
fn user_filter() -> Value {
    let config = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";
    json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": format!("type.googleapis.com/{config}"),
            "mutations": {"request_mutations": [{"append": {
                "header": {"key": "x-bedrock-caller", "value": "%REQ(x-user)%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }}]},
        },
    })
}

async fn start() -> Gateway {
    let artefacts = Artefacts::from_environment();
    let (ports, scratch) = (Ports::free().unwrap(), Scratch::new());
    let address = format!("127.0.0.1:{}", ports.simulator).parse().unwrap();
    let bedrock = simulator_builder().listen(address).start().await.unwrap();
    let mut bootstrap = Bootstrap::of_static_yaml(&ports, &artefacts);
    bootstrap.change_plugin_config(|config| {
        let hash: String = Sha256::digest("sk-key")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        config["callers"] = json!({
            "mode": "required",
            "identities": {
                "jwt": {"claims": ["sub", "/kubernetes.io/namespace"]},
                "certificate": "uri_san",
                "header": "x-bedrock-caller",
            },
            "entries": [
                {"name": "by-key", "keys": [{"sha256": hash}]},
                {"name": "by-token", "identities": ["jwt:sub=team-a/*", "jwt:/kubernetes.io/namespace=prod"]},
                {"name": "by-certificate", "identities": ["certificate:spiffe://example.org/ns/team-b/*"]},
                {"name": "by-header", "identities": ["header:team-c"]},
            ],
        });
    });
    bootstrap.put_in_front(user_filter());
    bootstrap.put_in_front(jwt_filter());
    let (authority, tls_port) = (Authority::new(), free_port().unwrap());
    let mut socket = documented(1);
    let common = &mut socket["typed_config"]["common_tls_context"];
    let (certificate, key) = authority.issue("localhost");
    common["tls_certificates"] = json!([{"certificate_chain": {"inline_string": certificate}, "private_key": {"inline_string": key}}]);
    common["validation_context"]["trusted_ca"] = json!({"inline_string": authority.pem()});
    bootstrap.add_tls_listener(tls_port, socket);
    let envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
    Gateway {
        envoy,
        bedrock,
        authority,
        tls_port,
        _scratch: scratch,
    }
}

/// HMAC with SHA-256: <https://www.rfc-editor.org/rfc/rfc2104#section-2>.
fn hmac(key: &[u8; 32], text: &[u8]) -> Vec<u8> {
    let padded = |fill: u8| {
        let mut block = [fill; 64];
        let (start, _) = block.split_at_mut(key.len());
        for (byte, own) in start.iter_mut().zip(key) {
            *byte ^= own;
        }
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(padded(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}

/// A token that says this, signed with a secret.
fn token(claims: &Value, secret: &[u8; 32]) -> String {
    let mut claims = claims.clone();
    claims["iss"] = json!("https://issuer.example");
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let head = json!({"alg": "HS256", "typ": "JWT", "kid": "k"});
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac(secret, signed.as_bytes()));
    format!("{signed}.{signature}")
}

impl Gateway {
    /// Asks on the plain listener.
    async fn ask(&self, headers: &[(&str, &str)]) -> Reply {
        let chat = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
        let request = self.envoy.chat_request(&chat);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.envoy.send(request).await
    }

    /// Asks with a certificate of this client.
    async fn ask_over_tls(&self, uri: &str, headers: &[(&str, &str)]) -> Reply {
        let (certificate, key) = self.authority.issue_to(uri);
        let client = Client::builder()
            .timeout(PATIENCE)
            .tls_certs_only([Certificate::from_pem(self.authority.pem().as_bytes()).unwrap()])
            .identity(Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap())
            .resolve(
                "localhost",
                SocketAddr::from((Ipv4Addr::LOCALHOST, self.tls_port)),
            )
            .build()
            .unwrap();
        let url = format!("https://localhost:{}/v1/chat/completions", self.tls_port);
        let chat = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
        let request = headers
            .iter()
            .fold(client.post(url).json(&chat), |request, (name, value)| {
                request.header(*name, *value)
            });
        Reply::read(request.send().await.unwrap()).await
    }
}

#[test]
fn callers_are_told_by_tokens_certificates_and_headers_that_clients_cannot_send() {
    run(async {
        let mut gateway = start().await;
        let bearer = |claims: Value| format!("Bearer {}", token(&claims, &SECRET));
        let own = bearer(json!({"sub": "team-a/alice"}));
        let reply = gateway.ask(&[("authorization", &own)]).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        let nested = bearer(json!({"sub": "x", "kubernetes.io": {"namespace": "prod"}}));
        let reply = gateway.ask(&[("authorization", &nested)]).await;
        assert_eq!(reply.status, 200, "{reply:?}");

        // A token of nobody's, none, a list instead of a name, and one that somebody else has signed.
        let other = bearer(json!({"sub": "team-x/bob"}));
        let reply = gateway.ask(&[("authorization", &other)]).await;
        reply.error(403, "permission_error", "unknown_identity");
        let reply = gateway.ask(&[]).await;
        reply.error(401, "invalid_request_error", "missing_api_key");
        let list = bearer(json!({"sub": {"team-a/alice": "team-a/alice"}}));
        let reply = gateway.ask(&[("authorization", &list)]).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        let forged = token(&json!({"sub": "team-a/alice"}), &[7; 32]);
        let forged = format!("Bearer {forged}");
        let reply = gateway.ask(&[("authorization", &forged)]).await;
        reply.error(401, "invalid_request_error", "invalid_api_key");

        // A key counts more than a token, and needs none.
        let both = [("authorization", own.as_str()), ("x-api-key", "sk-key")];
        assert_eq!(gateway.ask(&both).await.status, 200);
        let alone = [("authorization", "Bearer sk-key")];
        assert_eq!(gateway.ask(&alone).await.status, 200);

        // What the filter in front says counts; what a client says under that name does not.
        let reply = gateway.ask(&[("x-user", "team-c")]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        for name in ["x-bedrock-caller", "X-Bedrock-Caller"] {
            let reply = gateway.ask(&[(name, "team-c")]).await;
            reply.error(401, "invalid_request_error", "missing_api_key");
            let both = [(name, "team-c"), ("x-user", "team-x")];
            let reply = gateway.ask(&both).await;
            reply.error(403, "permission_error", "unknown_identity");
        }

        let uri = "spiffe://example.org/ns/team-b/sa/app";
        let reply = gateway.ask_over_tls(uri, &[]).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        let stranger = "spiffe://example.org/ns/team-bb";
        let reply = gateway.ask_over_tls(stranger, &[]).await;
        reply.error(403, "permission_error", "unknown_identity");
        let reply = gateway
            .ask_over_tls(stranger, &[("authorization", &own)])
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");

        for request in gateway.bedrock.requests() {
            let shown = format!("{request:?}");
            for secret in [
                own.as_str(),
                &nested,
                "team-a/alice",
                "team-b",
                "team-c",
                "sk-key",
            ] {
                assert!(!shown.contains(secret), "{secret} {shown}");
            }
        }
        gateway.envoy.stop();
        let log = gateway.envoy.log();
        assert!(!log.contains(own.trim_start_matches("Bearer ")), "{log}");
        for caller in ["by-key", "by-token", "by-certificate", "by-header"] {
            assert!(
                log.contains(&format!("\"caller\":\"{caller}\"")),
                "{caller} {log}"
            );
        }
    });
}
