//! Certificates and protocol versions.

use reqwest::Version;
use sandbox::{Host, Sandbox, Site, Tls, World};

use crate::fetch::{builder, causes, client, http, https};

async fn failure(tls: Tls) -> String {
    let sandbox = Sandbox::start(World::scripted().host("a.test", Host::page(&[]).tls(tls)))
        .await
        .unwrap();
    causes(
        &client(&sandbox)
            .get(https(&sandbox, "a.test", "/"))
            .send()
            .await
            .unwrap_err(),
    )
}

#[tokio::test]
async fn a_good_certificate_is_trusted_through_the_sandboxs_authority_only() {
    let sandbox = Sandbox::start(World::scripted().host("a.test", Host::page(&[])))
        .await
        .unwrap();
    let answer = client(&sandbox)
        .get(https(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(sandbox.http_seen("a.test")[0].secure);
    // Another sandbox's authority has other keys.
    let other = Sandbox::start(World::scripted()).await.unwrap();
    let error = client(&other)
        .get(https(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap_err();
    assert!(
        causes(&error).contains("InvalidCertificate"),
        "{}",
        causes(&error)
    );
}

#[tokio::test]
async fn each_bad_certificate_is_bad_in_its_own_way() {
    let expired = failure(Tls::Expired).await;
    assert!(expired.contains("Expired"), "{expired}");
    let alone = failure(Tls::SelfSigned).await;
    assert!(
        alone.contains("UnknownIssuer") || alone.contains("CaUsedAsEndEntity"),
        "{alone}"
    );
    let stranger = failure(Tls::WrongHost).await;
    assert!(stranger.contains("NotValidForName"), "{stranger}");
}

#[tokio::test]
async fn a_host_without_https_refuses_the_handshake_and_serves_plain() {
    let refusal = failure(Tls::Absent).await;
    assert!(refusal.contains("HandshakeFailure"), "{refusal}");
    let world = World::scripted().host("a.test", Host::page(&[]).tls(Tls::Absent));
    let sandbox = Sandbox::start(world).await.unwrap();
    assert_eq!(
        client(&sandbox)
            .get(http(&sandbox, "a.test", "/"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn a_silent_handshake_times_out() {
    let silence = failure(Tls::Silent).await;
    assert!(silence.contains("TimedOut"), "{silence}");
}

#[tokio::test]
async fn plain_http_leads_to_a_bad_certificate_unless_told_otherwise() {
    let world = World::scripted()
        .host("a.test", Host::page(&[]).tls(Tls::Expired))
        .host(
            "b.test",
            Host::page(&[]).tls(Tls::Expired).https_only(false),
        );
    let sandbox = Sandbox::start(world).await.unwrap();
    let error = client(&sandbox)
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap_err();
    assert!(causes(&error).contains("Expired"), "{}", causes(&error));
    assert_eq!(
        client(&sandbox)
            .get(http(&sandbox, "b.test", "/"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn an_old_host_speaks_tls_1_2_only() {
    let sandbox =
        Sandbox::start(World::scripted().host("a.test", Host::page(&[]).tls(Tls::Only12)))
            .await
            .unwrap();
    let modern = builder(&sandbox)
        .tls_version_min(reqwest::tls::Version::TLS_1_3)
        .build()
        .unwrap();
    assert!(
        modern
            .get(https(&sandbox, "a.test", "/"))
            .send()
            .await
            .is_err()
    );
    assert_eq!(
        client(&sandbox)
            .get(https(&sandbox, "a.test", "/"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn http2_is_spoken_by_hosts_that_offer_it_and_by_no_others() {
    let world = World::scripted()
        .host(
            "two.test",
            Host::page(&["espresso"])
                .http2()
                .path("/reset", Site::Reset(0)),
        )
        .host("one.test", Host::page(&["espresso"]));
    let sandbox = Sandbox::start(world).await.unwrap();
    let client = client(&sandbox);
    let two = client
        .get(https(&sandbox, "two.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (two.version(), two.status().as_u16()),
        (Version::HTTP_2, 200)
    );
    assert!(two.text().await.unwrap().contains("espresso"));
    assert_eq!(
        client
            .get(https(&sandbox, "two.test", "/reset"))
            .send()
            .await
            .unwrap()
            .status(),
        501
    );
    let one = client
        .get(https(&sandbox, "one.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(one.version(), Version::HTTP_11);
    assert_eq!(sandbox.http_requests("two.test"), 2);
    assert_eq!(sandbox.http_seen("two.test")[0].version, "HTTP/2.0");
    drop(client);
    sandbox.shutdown().await;
}
