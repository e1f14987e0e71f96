//! A client of the Kubernetes API (<https://kubernetes.io/docs/reference/using-api/>).

use e2e::PATIENCE;
use reqwest::{Certificate, Client, Method};
use serde_json::{Value, json};

/// What the objects are applied as.
const MANAGER: &str = "team";

/// The API, with all permissions.
#[derive(Clone, Debug)]
pub struct Kubernetes {
    origin: String,
    token: String,
    client: Client,
}

impl Kubernetes {
    pub(crate) fn new(port: u16, authority: &str, token: &str) -> Self {
        let authority = Certificate::from_pem(authority.as_bytes()).expect("a certificate");
        let client = Client::builder().timeout(PATIENCE);
        Self {
            origin: format!("https://localhost:{port}"),
            token: token.to_owned(),
            client: client
                .tls_certs_only([authority])
                .build()
                .expect("a client"),
        }
    }

    /// Whether it answers and all its parts are ready.
    pub(crate) async fn is_ready(&self) -> bool {
        let sent = self.request(Method::GET, "/readyz").send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }

    /// Applies documents as `kubectl apply --server-side` does.
    pub async fn apply(&self, documents: &[Value]) {
        for document in documents {
            let applied = self.try_apply(document).await;
            applied.unwrap_or_else(|reason| panic!("{reason}: {document}"));
        }
    }

    /// The same for one document, which may be refused.
    ///
    /// # Errors
    ///
    /// What the API says.
    pub async fn try_apply(&self, document: &Value) -> Result<Value, String> {
        let path = format!("{}?fieldManager={MANAGER}&force=true", path_of(document));
        let request = self.request(Method::PATCH, &path);
        let request = request.header("content-type", "application/apply-patch+yaml");
        // JSON is YAML.
        self.send(request.body(document.to_string())).await
    }

    /// Deletes what a document describes.
    pub async fn delete(&self, document: &Value) {
        let request = self.request(Method::DELETE, &path_of(document));
        self.send(request).await.expect("a deletion");
    }

    /// An object, if it is there.
    pub async fn get(&self, path: &str) -> Option<Value> {
        self.send(self.request(Method::GET, path)).await.ok()
    }

    /// Sets the status of an object.
    pub(crate) async fn set_status(&self, document: &Value, status: &Value) {
        let path = format!("{}/status", path_of(document));
        let request = self.request(Method::PATCH, &path);
        let request = request.header("content-type", "application/merge-patch+json");
        let body = json!({ "status": status }).to_string();
        self.send(request.body(body)).await.expect("a status");
    }

    /// A token of a service account for an audience.
    pub(crate) async fn token(&self, namespace: &str, account: &str, audience: &str) -> String {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": { "audiences": [audience], "expirationSeconds": 7200 },
        });
        let request = self.request(Method::POST, &path).json(&body);
        let answer = self.send(request).await.expect("a token");
        answer["status"]["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.origin));
        request.bearer_auth(&self.token)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let is_good = answer.status().is_success();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if !is_good {
            return Err(text);
        }
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }
}

/// Where the object of a document is.
fn path_of(document: &Value) -> String {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let version = text("/apiVersion").expect("a version");
    let root = if version.contains('/') { "apis" } else { "api" };
    let namespace = text("/metadata/namespace");
    let namespace = namespace.map(|name| format!("/namespaces/{name}"));
    let kind = plural(text("/kind").expect("a kind"));
    let name = text("/metadata/name").expect("a name");
    format!(
        "/{root}/{version}{}/{kind}/{name}",
        namespace.unwrap_or_default()
    )
}

/// The name of a kind's resources.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with('a') => format!("{stem}ies"),
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}
