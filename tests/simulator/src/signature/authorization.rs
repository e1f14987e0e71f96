//! The `Authorization` header of SigV4: parsing, scope, signed headers.

use super::{ALGORITHM, SERVICE, TERMINATOR};
use crate::error::AwsError;
use crate::wire::WireRequest;

/// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    terminator: &'a str,
    pub(super) signed_headers: Vec<&'a str>,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// # Errors
    /// `IncompleteSignatureException` that names what is missing.
    pub(super) fn parse(header: &'a str) -> Result<Self, AwsError> {
        let (algorithm, parameters) = header.split_once(' ').unwrap_or((header, ""));
        if algorithm != ALGORITHM {
            return Err(AwsError::incomplete_signature(format!(
                "Unsupported AWS 'algorithm': '{algorithm}'."
            )));
        }
        let parameter = |name: &str| {
            parameters
                .split(',')
                .filter_map(|pair| pair.trim().split_once('='))
                .find_map(|(candidate, value)| (candidate == name).then_some(value))
                .filter(|value| !value.is_empty())
                .ok_or_else(|| {
                    AwsError::incomplete_signature(format!(
                        "Authorization header requires '{name}' parameter."
                    ))
                })
        };
        let credential = parameter("Credential")?;
        let signed_headers = parameter("SignedHeaders")?.split(';').collect();
        let signature = parameter("Signature")?;
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = scope.as_slice() else {
            return Err(AwsError::incomplete_signature(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
            ));
        };
        Ok(Self {
            access_key_id,
            date,
            region,
            service,
            terminator,
            signed_headers,
            signature,
        })
    }

    /// `YYYYMMDD/region/service/aws4_request`.
    pub(super) fn scope(&self) -> String {
        [self.date, self.region, self.service, self.terminator].join("/")
    }

    /// Date, region, service and terminator must be the ones of this request.
    pub(super) fn check_scope(&self, amz_date: &str, regions: &[String]) -> Result<(), AwsError> {
        if self.terminator != TERMINATOR {
            return Err(AwsError::invalid_signature(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
                self.terminator
            )));
        }
        if !regions.iter().any(|region| region == self.region) {
            return Err(AwsError::invalid_signature(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                self.region
            )));
        }
        if self.service != SERVICE {
            return Err(AwsError::invalid_signature(format!(
                "Credential should be scoped to correct service: '{SERVICE}'. "
            )));
        }
        let day = amz_date.get(..8).unwrap_or_default();
        if self.date != day {
            return Err(AwsError::invalid_signature(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', from '{amz_date}'.",
                self.date
            )));
        }
        Ok(())
    }

    /// `host` and everything that starts with `x-amz-` must be signed, the
    /// list must be sorted, and each signed header must be present.
    pub(super) fn check_signed_headers(&self, request: &WireRequest) -> Result<(), AwsError> {
        let signed = |name: &str| self.signed_headers.contains(&name);
        if !signed("host") {
            return Err(AwsError::invalid_signature(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        let forgotten = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| name.starts_with("x-amz-") && !signed(name));
        if let Some(name) = forgotten {
            return Err(AwsError::invalid_signature(format!(
                "There were headers present in the request which were not signed: {name}"
            )));
        }
        let sorted = self.signed_headers.is_sorted_by(|left, right| left < right);
        let lower = |name: &&str| !name.bytes().any(|byte| byte.is_ascii_uppercase());
        if !sorted || !self.signed_headers.iter().all(lower) {
            return Err(AwsError::invalid_signature(
                "SignedHeaders must be lower-case, unique and sorted.",
            ));
        }
        match self
            .signed_headers
            .iter()
            .find(|n| request.header(n).is_none())
        {
            Some(name) => Err(AwsError::invalid_signature(format!(
                "The signed header '{name}' is missing from the request."
            ))),
            None => Ok(()),
        }
    }
}
