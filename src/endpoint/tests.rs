use super::*;

#[test]
fn every_partition_has_its_host() {
    for (region, host) in [
        ("us-east-1", "bedrock-runtime.us-east-1.amazonaws.com"),
        (
            "us-gov-west-1",
            "bedrock-runtime.us-gov-west-1.amazonaws.com",
        ),
        ("cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
        (
            "eusc-de-east-1",
            "bedrock-runtime.eusc-de-east-1.amazonaws.eu",
        ),
        ("us-iso-east-1", "bedrock-runtime.us-iso-east-1.c2s.ic.gov"),
        (
            "us-isob-east-1",
            "bedrock-runtime.us-isob-east-1.sc2s.sgov.gov",
        ),
        (
            "eu-isoe-west-1",
            "bedrock-runtime.eu-isoe-west-1.cloud.adc-e.uk",
        ),
    ] {
        let endpoint = Endpoint::of_region(region, HostVariant::Standard).unwrap();
        assert_eq!(endpoint.authority(), host);
        assert_eq!(endpoint.aws_region(), Some(region));
    }
    let fips = Endpoint::of_region("us-gov-east-1", HostVariant::Fips).unwrap();
    assert_eq!(
        fips.cluster_name(),
        "bedrock|https|bedrock-runtime-fips.us-gov-east-1.amazonaws.com|443"
    );
}

#[test]
fn texts_that_are_not_a_region_have_no_endpoint() {
    for region in [
        "",
        "us",
        "us-east",
        "us-east-",
        "US-EAST-1",
        "us east-1",
        "1-1",
        "us-1",
        "evil.com/us-1-1",
    ] {
        assert_eq!(
            Endpoint::of_region(region, HostVariant::Standard),
            Err(UnknownRegion),
            "{region}"
        );
    }
}

#[test]
fn origins_are_parsed_and_printed() {
    for (text, authority, cluster) in [
        (
            "https://vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com/",
            "vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
            "bedrock|https|vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com|443",
        ),
        (
            "http://127.0.0.1:9000",
            "127.0.0.1:9000",
            "bedrock|http|127.0.0.1|9000",
        ),
        ("HTTPS://a", "a", "bedrock|https|a|443"),
        ("Http://A:80", "a", "bedrock|http|a|80"),
        (
            "https://Proxy.Example:8443",
            "proxy.example:8443",
            "bedrock|https|proxy.example|8443",
        ),
        ("http://[::1]:9000", "[::1]:9000", "bedrock|http|[::1]|9000"),
        ("http://[::1]", "[::1]", "bedrock|http|[::1]|80"),
    ] {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.authority(), authority);
        assert_eq!(endpoint.cluster_name(), cluster);
    }
}

#[test]
fn texts_that_are_not_an_origin_are_refused() {
    use EndpointError as Error;
    for (text, error) in [
        ("bedrock.example", Error::NotAnOrigin),
        ("ftp://a", Error::NotAnOrigin),
        ("https:a", Error::NotAnOrigin),
        ("https://", Error::NotAnOrigin),
        ("https://a b", Error::NotAnOrigin),
        ("https://a:0", Error::NotAnOrigin),
        ("https://a:99999", Error::NotAnOrigin),
        ("https://[::1", Error::NotAnOrigin),
        ("https://a..b", Error::NotAnOrigin),
        ("https://user:secret@host", Error::UserInfo),
        ("https://a/path", Error::Path),
        ("https://a?x=1", Error::Path),
    ] {
        assert_eq!(Endpoint::parse(text), Err(error), "{text}");
    }
}

#[test]
fn only_whole_names_over_https_are_aws_itself() {
    for (text, is_aws) in [
        ("https://bedrock-runtime.us-east-1.amazonaws.com", true),
        (
            "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
            true,
        ),
        ("https://bedrock-runtime.us-east-1.api.aws", true),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", true),
        (
            "https://vpce-0a-1b-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            true,
        ),
        (
            "https://vpce-0a.bedrock-runtime-fips.us-east-1.vpce.amazonaws.com:443/",
            true,
        ),
        ("http://bedrock-runtime.us-east-1.amazonaws.com", false),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com:8443",
            false,
        ),
        ("https://bedrock-runtime.us-east-1.amazonaws.com.cn", false),
        ("https://bedrock-runtime.us-east-1.evil.example", false),
        ("https://x.bedrock-runtime.us-east-1.amazonaws.com", false),
        (
            "https://evil-bedrock-runtime.us-east-1.amazonaws.com",
            false,
        ),
        (
            "https://vpce-0a.vpce-svc-0b.us-east-1.vpce.amazonaws.com",
            false,
        ),
        (
            "https://a.vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            false,
        ),
        ("https://bedrock-runtime.us-east-1.elb.amazonaws.com", false),
        ("http://127.0.0.1:9000", false),
    ] {
        assert_eq!(Endpoint::parse(text).unwrap().is_aws(), is_aws, "{text}");
    }
}

#[test]
fn the_region_is_read_off_aws_hosts_only() {
    for (text, region) in [
        (
            "https://bedrock-runtime-fips.us-west-2.amazonaws.com",
            Some("us-west-2"),
        ),
        (
            "https://bedrock-runtime.us-west-2.api.aws",
            Some("us-west-2"),
        ),
        (
            "https://vpce-1-2.bedrock-runtime.us-west-2.vpce.amazonaws.com",
            Some("us-west-2"),
        ),
        ("https://bedrock.corp.internal", None),
        ("http://127.0.0.1:9000", None),
    ] {
        assert_eq!(
            Endpoint::parse(text).unwrap().aws_region(),
            region,
            "{text}"
        );
    }
}

#[test]
fn hosts_of_other_services_are_told() {
    for (text, service) in [
        ("https://bedrock.us-east-1.amazonaws.com", Some("bedrock")),
        (
            "https://bedrock-agent-runtime.eu-west-1.amazonaws.com",
            Some("bedrock-agent-runtime"),
        ),
        (
            "https://bedrock-mantle.us-east-1.api.aws",
            Some("bedrock-mantle"),
        ),
        (
            "https://vpce-0a.bedrock.us-east-1.vpce.amazonaws.com",
            Some("bedrock"),
        ),
        ("https://s3.cn-north-1.amazonaws.com.cn", Some("s3")),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", None),
        ("https://bedrock-runtime-fips.us-east-1.amazonaws.com", None),
        (
            "https://vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            None,
        ),
        (
            "https://vpce-0a.vpce-svc-0b.us-east-1.vpce.amazonaws.com",
            None,
        ),
        ("https://mine-123.us-east-1.elb.amazonaws.com", None),
        ("https://a1.execute-api.us-east-1.amazonaws.com", None),
        ("https://bedrock.us-east-1.corp.internal", None),
        ("http://127.0.0.1:9000", None),
    ] {
        assert_eq!(
            Endpoint::parse(text).unwrap().other_aws_service(),
            service,
            "{text}"
        );
    }
}
