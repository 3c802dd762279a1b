//! What each setting of discovery does to the names.

use serde_json::{Value, json};

use crate::{
    campaigns::{create, discovered},
    support::server::{Client, TestApp},
};

/// Lets a campaign find its names, and returns them in their order.
async fn names(ann: &Client, configuration: &Value) -> String {
    let path = create(ann, &json!({"name": "x"})).await;
    let phase = format!("{path}/phases/discovery");
    let configure = ann.post(&format!("{phase}/configure"));
    let configure = configure.json(&json!({"configuration": configuration}));
    configure.send().await.ok(200);
    ann.post(&format!("{phase}/start")).send().await.ok(200);
    discovered(ann, &path).await;
    let list = ann.get(&format!("{path}/domains")).send().await.ok(200);
    let names = list["items"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|item| item["domain"].as_str().unwrap()).collect();
    names.join(" ")
}

#[tokio::test]
async fn names_are_made_as_each_setting_of_discovery_says() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    for (configuration, expected) in [
        (
            json!({"patternType": "prefix_variable", "constantString": "one", "prefixVariableLength": 1,
                "characterSet": "ab", "tld": "test", "numDomainsToGenerate": 2}),
            "aone.test bone.test",
        ),
        (
            json!({"type": "suffix_variable", "constant": "two", "suffixVariableLength": 1, "charset": "ba",
                "tlds": ["test", "example"], "numDomains": 3}),
            "twob.test twob.example twoa.test",
        ),
        (
            json!({"source": "pattern", "patternType": "prefix_variable", "constantString": "three",
                "variableLength": 2, "characterSet": "x", "tld": "test", "numDomainsToGenerate": 1}),
            "xxthree.test",
        ),
        (
            json!({"patternType": "suffix_variable", "constantString": "four", "dictionary": ["teen", "fold"],
                "tld": "test", "numDomainsToGenerate": 2}),
            "fourteen.test fourfold.test",
        ),
    ] {
        assert_eq!(
            names(&ann, &configuration).await,
            expected,
            "{configuration}"
        );
    }
    app.stop().await;
}
