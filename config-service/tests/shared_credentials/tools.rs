//! The page and the commands.

use serde_json::{Value, json};

use super::{OTHER_SECRET, key, using};
use crate::apply::run;
use crate::common::{SECRET, TOKEN, TestService};
use crate::web::{log_in, post};

#[tokio::test]
async fn an_export_has_them_and_apply_creates_them_before_the_channels() {
    let service = TestService::start().await;
    service.put_credential("prod", &key(SECRET)).await;
    service.create(&using("one", "prod")).await;
    let (done, exported, error) = run(&service, &["export"]).await;
    assert!(done && !exported.contains(SECRET), "{error}");
    let file = service.dir.path().join("channels.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &exported).unwrap();
    let (_, said, error) = run(&service, &["apply", "-f", path]).await;
    assert_eq!(said, "prod: as it was\none: as it was\n", "{error}");

    let mut document: Value = serde_saphyr::from_str(&exported).unwrap();
    document["credentials"] = json!([{"name": "other", "credentials": key(OTHER_SECRET)}]);
    document["channels"] = json!([using("two", "other")]);
    std::fs::write(&file, document.to_string()).unwrap();
    let (_, said, _) = run(&service, &["apply", "--dry-run", "-f", path]).await;
    assert_eq!(said, "other: would be created\ntwo: would be created\n");
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(done, "{error}");
    assert!(
        said.starts_with("other: created by revision 3\ntwo: created"),
        "{said}"
    );

    document["credentials"] =
        json!([{"name": "bad", "credentials": {"type": "file", "path": "/etc/passwd"}}]);
    document["channels"] = json!([using("three", "bad")]);
    std::fs::write(&file, document.to_string()).unwrap();
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(!done && said.contains("/credentials/path"), "{said}");
    assert!(error.contains("1 credentials were refused"), "{error}");
}

#[tokio::test]
async fn the_page_creates_shows_and_deletes_them() {
    let service = TestService::start().await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "prod"),
        ("credential_kind", "static"),
        ("access_key_id", "AKIDEXAMPLE"),
        ("secret_access_key", SECRET),
    ];
    let reply = post(&service, "/credentials", &cookie, &fields).await;
    assert_eq!(reply.header("location"), "/credentials", "{reply:?}");
    let form = [
        ("csrf", csrf.as_str()),
        ("name", "one"),
        ("region", "us-east-1"),
        ("credential_kind", "shared"),
        ("shared_credential", "prod"),
    ];
    let reply = post(&service, "/channels/new", &cookie, &form).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    let page = crate::web::get(&service, "/credentials", &cookie).await;
    assert!(
        page.text.contains("prod") && page.text.contains("one"),
        "{page:?}"
    );
    assert!(
        !page.text.contains(SECRET) && !page.text.contains("Delete prod"),
        "{page:?}"
    );

    let mut wrong = fields;
    wrong[3] = ("access_key_id", "****");
    let reply = post(&service, "/credentials", &cookie, &wrong).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    assert!(
        reply.text.contains("role=\"alert\"") && !reply.text.contains(SECRET),
        "{reply:?}"
    );

    service.put_credential("unused", &key(OTHER_SECRET)).await;
    let delete = [("csrf", csrf.as_str())];
    let reply = post(&service, "/credentials/unused/delete", &cookie, &delete).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    let reply = post(&service, "/credentials/prod/delete", &cookie, &delete).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    let list = service.credentials().await;
    assert_eq!(list["credentials"].as_array().unwrap().len(), 1);
}
