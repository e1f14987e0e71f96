//! Regions, their partitions and the suffixes of their hosts.

/// DNS suffixes by region prefix, the most specific first.
///
/// From botocore's `partitions.json`; see
/// <https://docs.aws.amazon.com/general/latest/gr/bedrock.html>.
pub(super) const DNS_SUFFIXES: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
];

/// Suffixes of hosts that can be reached over IPv6 too, by region prefix, the most specific first.
///
/// From the same file.
pub(super) const DUAL_STACK_SUFFIXES: &[(&str, &str)] = &[
    ("cn-", "api.amazonwebservices.com.cn"),
    ("us-isob-", "api.aws.scloud"),
    ("us-isof-", "api.aws.hci.ic.gov"),
    ("us-iso-", "api.aws.ic.gov"),
    ("eu-isoe-", "api.cloud-aws.adc-e.uk"),
    ("eusc-", "api.amazonwebservices.eu"),
    ("", "api.aws"),
];

/// The suffix of a region's hosts in one of the tables.
pub(super) fn suffix_of(region: &str, suffixes: &'static [(&str, &str)]) -> &'static str {
    let found = suffixes
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("amazonaws.com", |(_, suffix)| suffix)
}

/// Partition of a region, for example `aws`, `aws-cn` or `aws-us-gov`.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    const PARTITIONS: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

/// Whether a text has the shape of an AWS region: lower-case words and a final number, joined by `-`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let mut count = 0;
    let words_valid = words.split('-').all(|word| {
        count += 1;
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())
    });
    let number_valid = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 20 && count >= 2 && words_valid && number_valid
}
