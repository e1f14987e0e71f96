//! The template for ECS is valid, and agrees with the programs and images that it is made of.

use std::process::Command;

use crate::iam::{statements, texts};
use crate::support::{root, text, tool};

const TEMPLATE: &str = "deploy/ecs/template.yaml";

#[test]
fn cloudformation_accepts_the_template() {
    let Some(lint) = tool("CFN_LINT") else {
        return;
    };
    let mut command = Command::new(lint);
    command.args(["--regions", "us-east-1,eu-west-1,us-gov-west-1", "--"]);
    let output = command.arg(root().join(TEMPLATE)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn it_starts_the_programs_where_the_images_have_them() {
    let template = text(TEMPLATE);
    let image = text("config-service/Dockerfile");
    for path in ["/var/lib/bedrock", "/usr/share/bedrock/bedrock_filter.wasm"] {
        assert!(template.contains(path) && image.contains(path), "{path}");
    }
    // Volumes get the permissions of folders that the images declare.
    assert!(image.contains("VOLUME /var/lib/bedrock"));
    assert!(text("envoy/Dockerfile").contains("VOLUME /tmp"));
}

/// A container is killed when its time is over; by then its streams must have been given up.
#[test]
fn envoy_gives_streams_less_time_than_it_has_itself() {
    let template = text(TEMPLATE);
    let number = |before: &str, after: &str| {
        let (_, rest) = template.split_once(before).unwrap();
        rest.split_once(after).unwrap().0.parse::<u32>().unwrap()
    };
    let streams = number("{ Name: BEDROCK_ENVOY_STOP_SECONDS, Value: \"", "\"");
    assert!(streams < number("StopTimeout: ", "\n"));
    assert!(text("deploy/ecs/README.md").contains(&format!("{streams} s more")));
}

/// The chart's pods and the image end in the same way.
#[test]
fn the_image_drains_as_the_chart_does() {
    let chart = text("deploy/helm/bedrock-filter/files/drain.sh");
    assert_eq!(chart, text("envoy/drain.sh"));
    let image = text("envoy/Dockerfile");
    let place = "/usr/local/share/bedrock/drain.sh";
    assert!(image.contains(place) && text("envoy/entrypoint.sh").contains(place));
}

/// What a channel with the tasks' own role may do is what `docs/IAM.md` says it needs, in any account and partition.
#[test]
fn the_role_has_the_documented_rights() {
    let template = text(TEMPLATE);
    assert!(!template.contains("arn:aws:"), "a partition is written out");
    let (_, role) = template.split_once("  TaskRole:").unwrap();
    let role = role.split("\n  Task:").next().unwrap();
    for heading in ["Calling models", "Counting tokens", "Inference profiles"] {
        for own in statements(heading) {
            let condition = &own["Condition"]["StringLike"]["bedrock:InferenceProfileArn"];
            let all = [&own["Action"], &own["Resource"], condition];
            for one in all.into_iter().flat_map(texts) {
                let one = one
                    .replace("arn:aws:", "arn:${AWS::Partition}:")
                    .replace(":us-east-1:123456789012:", ":*:${AWS::AccountId}:")
                    .replace(":us-east-1:", ":*:");
                assert!(role.contains(&one), "{heading}: {one}");
            }
        }
    }
    assert!(role.contains("bedrock:InferenceProfileArn"));
}
