//! How AWS's services are reached, and which files of this machine channels may name.

use clap::Args;
use reqwest::Url;

use crate::credentials::{
    Endpoints, FilePlaces, Folder, Folders, USUAL_FOLDERS, USUAL_KEY_FOLDERS,
};

/// How AWS is reached, and which files channels may name.
#[derive(Clone, Debug, Args)]
pub struct AwsAccess {
    /// Folders, comma-separated, from which channels may read identity providers' tokens.
    #[arg(
        long,
        env = "BEDROCK_TOKEN_FILE_DIRS",
        value_name = "FOLDER,…",
        value_delimiter = ',',
        default_value = USUAL_FOLDERS
    )]
    pub(super) token_file_dirs: Vec<Folder>,

    /// Folders, comma-separated, from which credentials of the type `file` may be read.
    #[arg(
        long,
        env = "BEDROCK_CREDENTIAL_FILE_DIRS",
        value_name = "FOLDER,…",
        value_delimiter = ',',
        default_value = USUAL_KEY_FOLDERS
    )]
    credential_file_dirs: Vec<Folder>,

    /// Endpoint of AWS STS, instead of that of the channel's region.
    #[arg(long, env = "AWS_ENDPOINT_URL_STS", value_name = "URL", value_parser = endpoint)]
    sts_endpoint: Option<String>,

    /// Endpoint of AWS Secrets Manager, instead of that of the region.
    #[arg(long, env = "AWS_ENDPOINT_URL_SECRETS_MANAGER", value_name = "URL", value_parser = endpoint)]
    secrets_manager_endpoint: Option<String>,

    /// Endpoint of AWS Systems Manager, for its Parameter Store, instead of that of the region.
    #[arg(long, env = "AWS_ENDPOINT_URL_SSM", value_name = "URL", value_parser = endpoint)]
    ssm_endpoint: Option<String>,
}

impl AwsAccess {
    /// Where files that channels name may be.
    pub(crate) fn file_places(&self) -> FilePlaces {
        FilePlaces {
            tokens: Folders::of_tokens(self.token_file_dirs.clone()),
            keys: Folders::of_keys(self.credential_file_dirs.clone()),
        }
    }

    /// The endpoints of services, where they are not AWS's own.
    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints {
            sts: chosen("STS", "--sts-endpoint", self.sts_endpoint.as_ref()),
            secrets_manager: chosen(
                "Secrets Manager",
                "--secrets-manager-endpoint",
                self.secrets_manager_endpoint.as_ref(),
            ),
            parameter_store: chosen(
                "Systems Manager",
                "--ssm-endpoint",
                self.ssm_endpoint.as_ref(),
            ),
        }
    }
}

/// The endpoint that was given, if any; a warning if secrets can be read on the way.
fn chosen(service: &str, flag: &str, endpoint: Option<&String>) -> Option<String> {
    let endpoint = endpoint.filter(|url| !url.is_empty())?;
    if is_in_plain_text(endpoint) {
        tracing::warn!(
            endpoint,
            "{service} is called in plain text beyond this machine, so the credentials that it \
             returns can be read on the way; give {flag} an https:// URL"
        );
    }
    Some(endpoint.clone())
}

/// Reads the URL of an endpoint; an empty one counts as none.
///
/// # Errors
///
/// When AWS's SDK could not call it, or would drop parts of it.
fn endpoint(text: &str) -> Result<String, String> {
    const EXPECTED: &str = "must be the https:// URL of a host, or http:// on this machine, such \
        as https://sts.eu-west-1.amazonaws.com";
    let url = || {
        let url = Url::parse(text).ok()?;
        let is_http = ["http", "https"].contains(&url.scheme());
        let is_bare = url.query().is_none() && url.fragment().is_none();
        let is_open = url.username().is_empty() && url.password().is_none();
        (is_http && url.has_host() && is_bare && is_open).then_some(())
    };
    match url() {
        Some(()) => Ok(text.to_owned()),
        None if text.is_empty() => Ok(String::new()),
        None => Err(EXPECTED.to_owned()),
    }
}

/// Whether answers, credentials included, would be in plain text beyond this machine.
fn is_in_plain_text(endpoint: &str) -> bool {
    let url = Url::parse(endpoint).ok();
    url.is_some_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<std::net::IpAddr>();
        let is_local = host == "localhost" || address.is_ok_and(|own| own.is_loopback());
        url.scheme() == "http" && !is_local
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_url_of_a_host() {
        for good in [
            "",
            "https://sts.eu-west-1.amazonaws.com",
            "http://127.0.0.1:4566/",
            "https://proxy.example/sts",
        ] {
            assert_eq!(endpoint(good).as_deref(), Ok(good));
        }
        for bad in [
            "file:///etc/passwd",
            "sts.amazonaws.com",
            "https://",
            "ftp://sts.example",
            "https://user:hush@sts.example",
            "https://sts.example?x=hush",
            "https://sts.example#x",
        ] {
            let error = endpoint(bad).unwrap_err();
            assert!(error.contains("such as https://"), "{bad}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn plain_text_is_for_this_machine() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4566", false),
            ("http://[::1]:4566", false),
            ("http://localhost", false),
            ("https://sts.example", false),
            ("http://sts.example", true),
            ("http://10.0.0.1", true),
        ] {
            assert_eq!(is_in_plain_text(endpoint), expected, "{endpoint}");
        }
    }
}
