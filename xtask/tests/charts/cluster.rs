//! A Kubernetes API that holds a few objects, for what the chart looks up.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// The API. It ends with the test's process.
pub(super) struct Cluster {
    /// Where it is.
    pub(super) origin: String,
}

impl Cluster {
    /// Starts it with objects by their paths.
    pub(super) fn start<const N: usize>(objects: [(&str, Value); N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let objects = objects.map(|(path, object)| (path.to_owned(), object));
        let mut answers = BTreeMap::from(objects);
        let core = [
            kind("namespaces", "Namespace", false),
            kind("secrets", "Secret", true),
        ];
        answers.insert("/api/v1".to_owned(), kinds("v1", &core));
        let apps = kinds("apps/v1", &[kind("deployments", "Deployment", true)]);
        answers.insert("/apis/apps/v1".to_owned(), apps);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&stream.unwrap(), &answers);
            }
        });
        Self { origin }
    }
}

/// A kind that is looked up.
fn kind(name: &str, kind: &str, namespaced: bool) -> Value {
    json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"]})
}

/// The kinds of a version.
fn kinds(version: &str, resources: &[Value]) -> Value {
    json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources})
}

/// Answers one request.
fn serve(mut stream: &TcpStream, answers: &BTreeMap<String, Value>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let missing = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404});
    let (status, body) = match answers.get(path) {
        Some(object) => ("200 OK", object),
        None => ("404 Not Found", &missing),
    };
    let body = body.to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    // A client that has left must not end the API for those that come.
    let _ = stream.write_all(answer.as_bytes());
}
