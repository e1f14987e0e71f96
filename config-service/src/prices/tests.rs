use bedrock_filter::catalog;

use super::*;

/// The cost of a request, in dollars, as worked out by hand beside each case.
#[track_caller]
fn check(called: Called<'_>, counts: Counts, dollars: &str) {
    let cost = Prices::built_in().cost(called, &counts);
    assert_eq!(cost.map(|own| own.to_string()).as_deref(), Some(dollars));
}

fn base(model: &str) -> Called<'_> {
    Called {
        region: "us-east-1",
        model_id: model,
        base_model: model,
        tier: "",
    }
}

fn tokens(input: u64, output: u64) -> Counts {
    Counts {
        input,
        output,
        ..Counts::default()
    }
}

#[test]
fn costs_are_those_worked_out_by_hand() {
    // 1,000 x 0.8 $/M + 500 x 3.2 $/M = 0.0008 + 0.0016
    check(base("amazon.nova-pro-v1:0"), tokens(1_000, 500), "0.0024");
    // 333 x 0.035 $/M + 77 x 0.14 $/M = 0.000011655 + 0.00001078
    check(
        base("amazon.nova-micro-v1:0"),
        tokens(333, 77),
        "0.000022435",
    );
    // 10 x 0.035 + 0 of output, and 3 read at 0.00875 $/M = 0.00000035 + 0.00000002625, rounded
    let read = Counts {
        input: 10,
        cache_read: 3,
        ..Counts::default()
    };
    check(base("amazon.nova-micro-v1:0"), read, "0.000000376");
    // 2,000 x 3 + 800 x 15 $/M = 0.006 + 0.012, through the global profile, which has the base price
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let global = Called {
        model_id: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ..base(sonnet)
    };
    check(global, tokens(2_000, 800), "0.018");
    // The same through a geographic one, a tenth more: 2,000 x 3.3 + 800 x 16.5 $/M
    let us = Called {
        model_id: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ..base(sonnet)
    };
    check(us, tokens(2_000, 800), "0.0198");
    // 100 x 3.3 + 40 x 16.5 + 5,000 x 0.33 + 1,000 x 4.125 + 200 x 6.6 $/M
    let cached = Counts {
        input: 100,
        output: 40,
        cache_read: 5_000,
        cache_write_5m: 1_000,
        cache_write_1h: 200,
    };
    check(us, cached, "0.008085");
}

#[test]
fn ten_more_models_cost_what_was_worked_out_by_hand() {
    for (model, input, output, dollars) in [
        // 12,345 x 5 + 678 x 25 $/M = 0.061725 + 0.01695
        (
            "anthropic.claude-opus-4-5-20251101-v1:0",
            12_345,
            678,
            "0.078675",
        ),
        // 12,345 x 5.5 + 678 x 27.5 $/M = 0.0678975 + 0.018645
        (
            "eu.anthropic.claude-opus-4-5-20251101-v1:0",
            12_345,
            678,
            "0.0865425",
        ),
        // 9,000 x 1 + 111 x 5 $/M = 0.009 + 0.000555
        (
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            9_000,
            111,
            "0.009555",
        ),
        // 3 x 0.25 + 7 x 1.25 $/M = 0.00000075 + 0.00000875
        ("anthropic.claude-3-haiku-20240307-v1:0", 3, 7, "0.0000095"),
        // 1,000 x 0.06 + 1,000 x 0.24 $/M = 0.00006 + 0.00024
        ("amazon.nova-lite-v1:0", 1_000, 1_000, "0.0003"),
        // 250 x 0.72 + 4 x 0.72 $/M = 0.00018 + 0.00000288
        ("meta.llama3-3-70b-instruct-v1:0", 250, 4, "0.00018288"),
        // 100,000 x 2 + 50 x 6 $/M = 0.2 + 0.0003
        ("mistral.mistral-large-2407-v1:0", 100_000, 50, "0.2003"),
        // 777 x 1.35 + 333 x 5.4 $/M = 0.00104895 + 0.0017982
        ("deepseek.r1-v1:0", 777, 333, "0.00284715"),
        // 4,096 x 0.15 + 512 x 0.6 $/M = 0.0006144 + 0.0003072
        ("openai.gpt-oss-120b-1:0", 4_096, 512, "0.0009216"),
        // 20 x 3 + 30 x 15 $/M = 0.00006 + 0.00045
        ("cohere.command-r-plus-v1:0", 20, 30, "0.00051"),
        // 1,500 x 0.2 + 10 x 0.4 $/M = 0.0003 + 0.000004
        ("ai21.jamba-1-5-mini-v1:0", 1_500, 10, "0.000304"),
    ] {
        check(base(model), tokens(input, output), dollars);
    }
}

#[test]
fn what_is_set_replaces_what_is_listed_until_it_is_removed() {
    let listed = Prices::built_in();
    let id = "amazon.nova-pro-v1:0";
    let own: BTreeMap<_, _> = [("input".to_owned(), 1.0), ("output".to_owned(), 2.0)].into();
    let set = listed.with([(id, &own)]);
    let cost = |prices: &Prices| prices.cost(base(id), &tokens(1_000, 0));
    assert_eq!(cost(&set), Some(NanoDollars(1_000_000)));
    assert_eq!(set.rates_of(id), Some(own));
    assert_eq!(cost(&listed.with([])), Some(NanoDollars(800_000)));
    // It replaces the whole entry: what is read from a cache costs as much as other input now.
    let read = Counts {
        cache_read: 1_000,
        ..Counts::default()
    };
    assert_eq!(set.cost(base(id), &read), Some(NanoDollars(1_000_000)));
    for (id, name, dollars, part) in [
        ("", "input", 1.0, "the id must be"),
        ("a b", "input", 1.0, "the id must be"),
        ("m", "inputs", 1.0, "a rate `inputs`"),
        ("m", "input", f64::NAN, "must be US dollars"),
        ("m", "input", -0.1, "must be US dollars"),
        ("m", "input", 1e-10, "less than a millionth"),
    ] {
        let rates = [(name.to_owned(), dollars)].into();
        let (_, error) = Prices::check(id, &rates).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(Prices::check("m", &BTreeMap::new()).is_err());
}

#[test]
fn tiers_and_long_prompts_have_their_own_prices() {
    let sonnet = base("anthropic.claude-sonnet-4-5-20250929-v1:0");
    // 200,000 is not over 200k: x 3 $/M
    check(sonnet, tokens(200_000, 0), "0.6");
    // 200,001 x 6 + 1,000 x 22.5 $/M = 1.200006 + 0.0225: all of it, not what is over
    check(sonnet, tokens(200_001, 1_000), "1.222506");
    // What is read from a cache counts into the length and keeps its tenth: 1 x 6 + 250,000 x 0.6 $/M
    let read = Counts {
        input: 1,
        cache_read: 250_000,
        ..Counts::default()
    };
    check(sonnet, read, "0.150006");
    let nova = |tier| Called {
        tier,
        ..base("amazon.nova-pro-v1:0")
    };
    // 1,000 x 0.4 + 500 x 1.6 $/M
    check(nova("flex"), tokens(1_000, 500), "0.0012");
    // 1,000 x 1.4 + 500 x 5.6 $/M
    check(nova("priority"), tokens(1_000, 500), "0.0042");
    check(nova("default"), tokens(1_000, 500), "0.0024");
}

#[test]
fn what_has_no_rate_of_its_own_costs_the_usual_one() {
    // Haiku has no rates of tiers: 1,000 x 1 + 100 x 5 $/M = 0.001 + 0.0005 on each, also on one that nobody knows.
    let haiku = base("anthropic.claude-haiku-4-5-20251001-v1:0");
    for tier in ["", "flex", "priority", "reserved", "free"] {
        check(Called { tier, ..haiku }, tokens(1_000, 100), "0.0015");
    }
    let rates = |list: &[(&str, f64)]| -> BTreeMap<String, f64> {
        list.iter()
            .map(|(name, own)| ((*name).to_owned(), *own))
            .collect()
    };
    let own = rates(&[
        ("input", 2.0),
        ("output", 10.0),
        ("input_flex", 1.0),
        ("output_flex", 5.0),
        ("input_priority", 6.0),
        ("input_over_200k", 4.0),
        ("cache_write_5m", 2.5),
    ]);
    let prices = Prices::default().with([("m", &own)]);
    let cost = |tier, counts: Counts| {
        let called = Called { tier, ..base("m") };
        prices.cost(called, &counts).map(|own| own.to_string())
    };
    for (tier, counts, dollars) in [
        // 1,000 x 6 + 1,000 x 10 $/M: there is no `output_priority`.
        ("priority", tokens(1_000, 1_000), "0.016"),
        // A long prompt, 300,000 x 4 + 1,000 x 10 $/M: there is no `output_over_200k`.
        ("", tokens(300_000, 1_000), "1.21"),
        // On another tier the higher rate counts: 300,000 x 4 + 1,000 x 5, and 300,000 x 6 + 1,000 x 10 $/M.
        ("flex", tokens(300_000, 1_000), "1.205"),
        ("priority", tokens(300_000, 1_000), "1.81"),
        // 1,000 written for an hour as if for five minutes, x 2.5 $/M, and 1,000 read like input, x 2 $/M.
        (
            "",
            Counts {
                cache_write_1h: 1_000,
                cache_read: 1_000,
                ..Counts::default()
            },
            "0.0045",
        ),
    ] {
        assert_eq!(
            cost(tier, counts).as_deref(),
            Some(dollars),
            "{tier} {counts:?}"
        );
    }
}

#[test]
fn what_has_no_price_has_an_unknown_cost() {
    let prices = Prices::built_in();
    let cost = |called, counts| prices.cost(called, &counts);
    let nova = base("amazon.nova-pro-v1:0");
    assert_eq!(cost(base("amazon.titan-tg1-large"), tokens(1, 1)), None);
    assert_eq!(cost(base(""), tokens(1, 1)), None);
    for tier in ["flex", "free"] {
        let unknown = Called {
            tier,
            ..base("amazon.titan-tg1-large")
        };
        assert_eq!(cost(unknown, tokens(1, 1)), None);
    }
    // Nor does a price of the input say what an answer costs.
    let half = [("input".to_owned(), 1.0)].into();
    let half = Prices::default().with([("m", &half)]);
    assert_eq!(half.cost(base("m"), &tokens(1, 1)), None);
    // Nothing used costs nothing, if there is a price at all.
    assert_eq!(cost(nova, tokens(0, 0)), Some(NanoDollars(0)));
}

#[tokio::test]
async fn a_file_replaces_entries_and_may_name_regions_and_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.json");
    let text = r#"{"prices": {
        "amazon.nova-pro-v1:0": {"input": 1, "output": 2},
        "eu-west-1/amazon.nova-pro-v1:0": {"input": 10, "output": 20},
        "abcdefghijkl": {"input": 100, "output": 200}
    }}"#;
    std::fs::write(&path, text).unwrap();
    let prices = Prices::read(Some(&path)).await.unwrap();
    let nova = base("amazon.nova-pro-v1:0");
    let millions = tokens(1_000_000, 1_000_000);
    let cost = |called| prices.cost(called, &millions).unwrap().to_string();
    assert_eq!(cost(nova), "3");
    let elsewhere = Called {
        region: "eu-west-1",
        ..nova
    };
    assert_eq!(cost(elsewhere), "30");
    let profile = Called {
        model_id: "abcdefghijkl",
        ..nova
    };
    assert_eq!(cost(profile), "300");
    assert_eq!(cost(base("amazon.nova-micro-v1:0")), "0.175");
}

#[tokio::test]
async fn a_file_with_a_mistake_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.json");
    for (text, part) in [
        (r#"{"prices": {"m": {"inputs": 1}}}"#, "a rate `inputs`"),
        (
            r#"{"prices": {"m": {"input": -1}}}"#,
            "`input` of `m` is -1",
        ),
        (
            r#"{"prices": {"m": {"input_over_k": 1}}}"#,
            "a rate `input_over_k`",
        ),
        (r#"{"price": {}}"#, "unknown field `price`"),
        ("[]", "invalid"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Prices::read(Some(&path)).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let gone = folder.path().join("gone.json");
    let error = Prices::read(Some(&gone)).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot read --prices"), "{error}");
}

#[test]
fn the_table_agrees_with_the_catalogue_and_says_where_it_is_from() {
    let prices = Prices::built_in();
    assert_eq!(prices.origin().date.len(), 10);
    assert!(prices.origin().source.contains("LiteLLM"));
    for model in catalog::models() {
        let [input, output, ..] = model.price[..] else {
            continue;
        };
        let known = |dollars: f64| NanoDollars((dollars * 1e9).round() as u64);
        // A million is a long prompt for some.
        let cost = prices.cost(base(model.id), &tokens(100_000, 0));
        assert_eq!(cost, Some(known(input / 10.0)), "{}", model.id);
        let cost = prices.cost(base(model.id), &tokens(0, 1_000_000));
        assert_eq!(cost, Some(known(output)), "{}", model.id);
    }
}

#[test]
fn money_is_written_without_an_exponent_and_without_zeros() {
    let text = |nanos| NanoDollars(nanos).to_string();
    assert_eq!(text(0), "0");
    assert_eq!(text(1), "0.000000001");
    assert_eq!(text(1_500_000_000), "1.5");
    assert_eq!(text(20_000_000_000), "20");
}
