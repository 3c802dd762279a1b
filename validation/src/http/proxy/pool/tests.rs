use uuid::Uuid;

use super::*;
use crate::http::{AllowedRanges, Protocol};
use crate::suppression::Suppression;

fn members(count: u128) -> Vec<Member> {
    (1..=count)
        .map(|id| Member {
            proxy: Proxy {
                id: ProxyId(Uuid::from_u128(id)),
                protocol: Protocol::Http,
                host: "192.0.2.1".to_owned(),
                port: 3128,
                credentials: None,
            },
            weight: 1,
        })
        .collect()
}

/// A pool in which the first member is the first choice.
fn pool(count: u128) -> Pool {
    let config = PoolConfig {
        strategy: Strategy::Failover,
        failures: 2,
        rest: Duration::from_millis(1),
        in_flight: 1,
        ..PoolConfig::default()
    };
    Pool::new(config, members(count)).unwrap()
}

async fn lease<'p>(pool: &'p Pool, site: &str, tried: &mut Tried) -> Option<Lease<'p>> {
    let lease = pool.lease(&site.into(), tried).await?;
    tried.add(&lease);
    Some(lease)
}

fn index(lease: &Lease<'_>) -> u128 {
    lease.proxy.id.0.as_u128()
}

fn own_fault() -> Fault {
    Fault::proxy("proxy_refused", "nobody listens")
}

#[test]
fn each_setting_that_cannot_be_honoured_is_refused_by_its_name() {
    let good = PoolConfig::default;
    assert!(Pool::new(good(), members(2)).is_ok());
    let rate = Some(Rate {
        per_second: f64::NAN,
        burst: 1,
    });
    for (bad, name) in [
        (
            PoolConfig {
                max_retries: 11,
                ..good()
            },
            "max_retries",
        ),
        (
            PoolConfig {
                timeout: Duration::ZERO,
                ..good()
            },
            "timeout",
        ),
        (
            PoolConfig {
                failures: 0,
                ..good()
            },
            "failures",
        ),
        (
            PoolConfig {
                rest: Duration::from_secs(3_601),
                ..good()
            },
            "rest",
        ),
        (
            PoolConfig {
                ban: Duration::ZERO,
                ..good()
            },
            "ban",
        ),
        (
            PoolConfig {
                in_flight: 0,
                ..good()
            },
            "in_flight",
        ),
        (PoolConfig { rate, ..good() }, "rate"),
    ] {
        let error = Pool::new(bad, members(1)).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
    assert_eq!(
        Pool::new(good(), Vec::new()).unwrap_err(),
        PoolError::Size(0)
    );
    let twice = [members(1), members(1)].concat();
    assert!(matches!(Pool::new(good(), twice), Err(PoolError::Twice(_))));
    let mut wrong = members(1);
    wrong[0].proxy.port = 0;
    assert!(matches!(
        Pool::new(good(), wrong),
        Err(PoolError::Proxy(_, Error::Port))
    ));
}

#[tokio::test]
async fn a_page_is_tried_through_each_proxy_once() {
    let pool = pool(3);
    let mut tried = Tried::default();
    let mut asked = Vec::new();
    while let Some(lease) = lease(&pool, "a.test", &mut tried).await {
        asked.push(index(&lease));
    }
    assert_eq!(asked, [1, 2, 3]);
}

#[tokio::test]
async fn a_second_attempt_goes_to_a_proxy_that_has_worked() {
    let pool = pool(4);
    let third = {
        let mut tried = Tried::default();
        lease(&pool, "a.test", &mut tried).await.unwrap();
        lease(&pool, "a.test", &mut tried).await.unwrap();
        lease(&pool, "a.test", &mut tried).await.unwrap()
    };
    third.worked(true);
    drop(third);
    let mut tried = Tried::default();
    let first = lease(&pool, "b.test", &mut tried).await.unwrap();
    let second = lease(&pool, "b.test", &mut tried).await.unwrap();
    assert_eq!((index(&first), index(&second)), (1, 3));
}

#[tokio::test]
async fn who_has_no_room_is_passed_over_while_others_have() {
    let pool = pool(2);
    let first = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
    let second = lease(&pool, "b.test", &mut Tried::default()).await.unwrap();
    assert_eq!((index(&first), index(&second)), (1, 2));
    // Nobody has room now, so the third waits until the first is back.
    let mut tried = Tried::default();
    let mut third = Box::pin(lease(&pool, "c.test", &mut tried));
    assert!(futures::poll!(&mut third).is_pending());
    drop(first);
    assert_eq!(index(&third.await.unwrap()), 1);
}

#[tokio::test]
async fn a_site_keeps_its_proxy_until_that_fails() {
    let pool = pool(3);
    let mut tried = Tried::default();
    let first = lease(&pool, "a.test", &mut tried).await.unwrap();
    let second = lease(&pool, "a.test", &mut tried).await.unwrap();
    second.worked(true);
    drop((first, second));
    let again = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
    assert_eq!(index(&again), 2, "the habit is kept");
    again.failed(&own_fault());
    drop(again);
    let after = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
    assert_eq!(index(&after), 1, "the habit is over");
    let other = lease(&pool, "b.test", &mut Tried::default()).await.unwrap();
    assert_ne!(index(&other), 1, "the first has no room");
}

#[tokio::test]
async fn a_ban_is_between_a_proxy_and_a_site_and_costs_no_health() {
    let pool = pool(2);
    let mut changes = pool.watch();
    for _ in 0..5 {
        let mut tried = Tried::default();
        let lease = lease(&pool, "a.test", &mut tried).await.unwrap();
        if index(&lease) == 1 {
            lease.banned(true);
        }
    }
    let banned = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
    let other = lease(&pool, "b.test", &mut Tried::default()).await.unwrap();
    assert_eq!((index(&banned), index(&other)), (2, 1));
    assert!(pool.health().iter().all(|health| health.healthy));
    let change = changes.try_recv().unwrap();
    assert!(change.healthy, "the site answered through it");
    assert!(changes.try_recv().is_err());
    drop((banned, other));
    // Where everybody is banned the first attempt is made all the same, and there is no second.
    lease(&pool, "a.test", &mut Tried::default())
        .await
        .unwrap()
        .banned(true);
    let mut tried = Tried::default();
    assert!(lease(&pool, "a.test", &mut tried).await.is_some());
    assert!(lease(&pool, "a.test", &mut tried).await.is_none());
}

#[tokio::test]
async fn own_failures_are_told_once_and_a_trial_brings_the_proxy_back() {
    let pool = pool(2);
    let mut changes = pool.watch();
    for _ in 0..2 {
        let mut tried = Tried::default();
        lease(&pool, "a.test", &mut tried)
            .await
            .unwrap()
            .failed(&own_fault());
    }
    let change = changes.try_recv().unwrap();
    assert_eq!(change.proxy.0.as_u128(), 1);
    assert!(!change.healthy);
    assert_eq!(change.fault, Some(own_fault()));
    assert!(!pool.health()[0].healthy);
    // The rest is a millisecond; then one page tries it.
    let trial = loop {
        let lease = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
        if index(&lease) == 1 {
            break lease;
        }
        tokio::task::yield_now().await;
    };
    let beside = lease(&pool, "b.test", &mut Tried::default()).await.unwrap();
    assert_eq!(index(&beside), 2, "one page at a time");
    trial.worked(true);
    drop(trial);
    let change = changes.try_recv().unwrap();
    assert_eq!((change.healthy, change.fault), (true, None));
    assert!(changes.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn refused_credentials_need_no_repetition() {
    let pool = pool(1);
    let lease = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
    lease.failed(&Fault::proxy("proxy_credentials", "no"));
    assert!(!pool.health()[0].healthy);
}

#[tokio::test]
async fn a_suspicion_counts_only_when_the_page_comes_through_another() {
    let pool = pool(2);
    let fault = Fault::error("connection_reset", "").blamed(crate::http::Blame::Unknown);
    let mut suspects = Vec::new();
    for _ in 0..4 {
        let mut tried = Tried::default();
        let lease = lease(&pool, "a.test", &mut tried).await.unwrap();
        suspects.push(lease.suspected(&fault));
    }
    assert!(pool.health()[0].healthy);
    let alike = Some(fault.reason);
    suspects
        .iter()
        .for_each(|suspect| pool.convict(suspect, alike));
    assert_eq!(pool.health()[0].failures, 0, "the site fails for everybody");
    suspects
        .iter()
        .for_each(|suspect| pool.convict(suspect, None));
    assert_eq!(
        (pool.health()[0].healthy, pool.health()[0].failures),
        (false, 4)
    );
    // On trial, a suspicion is enough to rest on.
    let trial = loop {
        let lease = lease(&pool, "a.test", &mut Tried::default()).await.unwrap();
        if index(&lease) == 1 {
            break lease;
        }
    };
    let suspect = trial.suspected(&fault);
    pool.convict(&suspect, None);
    assert_eq!(pool.health()[0].failures, 5, "counted once");
}

#[tokio::test]
async fn health_checks_count_as_pages_do_unless_they_say_nothing_of_the_proxy() {
    let pool = pool(1);
    let id = ProxyId(Uuid::from_u128(1));
    let probe = |status_code, fault| Probe {
        status_code,
        elapsed: Duration::ZERO,
        fault,
    };
    let silence = Fault::error("deadline", "").blamed(crate::http::Blame::Unknown);
    for _ in 0..5 {
        pool.record(id, &probe(None, Some(silence.clone())));
    }
    assert!(pool.health()[0].healthy);
    for _ in 0..2 {
        pool.record(id, &probe(None, Some(own_fault())));
    }
    assert!(!pool.health()[0].healthy);
    pool.record(id, &probe(Some(404), Some(Fault::status(404))));
    assert!(pool.health()[0].healthy, "who shows us a 404 works");
    pool.record(ProxyId(Uuid::from_u128(9)), &probe(None, Some(own_fault())));
    assert_eq!(pool.health().len(), 1);
}

#[test]
fn a_guard_lets_pass_what_it_does_not_refuse() {
    let proxy = members(1).remove(0).proxy;
    let found = ["10.0.0.1".parse().unwrap(), "9.9.9.9".parse().unwrap()];
    let nobody = Suppression::default();
    let servers = checked(&proxy, &found, &AllowedRanges::Public, &nobody).unwrap();
    assert_eq!(servers, ["9.9.9.9:3128".parse().unwrap()]);
    let refused = checked(&proxy, &found[..1], &AllowedRanges::Public, &nobody).unwrap_err();
    assert_eq!(refused.code, "proxy_address_refused");
    assert!(refused.text.contains("private"), "{}", refused.text);
}
