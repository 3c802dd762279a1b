//! Faults of names and resolvers.

use std::time::Duration;

use futures::future::FutureExt as _;
use sandbox::{Always, Dns, Forgery, Host, ResolverScript, Sandbox, World};
use tokio_util::sync::CancellationToken;
use validation::dns::{Config, Engine, Outcome, RecordType, Report, Resolver};

use super::{Case, Row, fine, row};

/// The resolvers of the sandbox, in their order.
const SILENT: usize = 0;
const REFUSING: usize = 1;
const FAILING: usize = 2;
const FORGED: usize = 3;
const CUTTING: usize = 4;
const WORKING: usize = 5;

pub(super) async fn sandbox() -> Sandbox {
    let world = World::scripted()
        .host("live.test", Host::page(&[]))
        .host("nodata.test", Host::named(Dns::NoData))
        .host("servfail.test", Host::named(Dns::ServFail))
        .host("refused.test", Host::named(Dns::Refused))
        .host("silent.test", Host::named(Dns::Silent))
        .host(
            "dangling.test",
            Host::named(Dns::Alias("gone.test".to_owned())),
        )
        .host("truncated.test", Host::named(Dns::Truncated))
        .resolver(ResolverScript::always(Always::Silent))
        .resolver(ResolverScript::always(Always::Refused))
        .resolver(ResolverScript::always(Always::ServFail))
        .resolver(ResolverScript::healthy().forge(Forgery::WrongId))
        .resolver(ResolverScript::healthy().truncate())
        .resolver(ResolverScript::healthy());
    Sandbox::start(world).await.unwrap()
}

pub(super) fn cases(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let error = |reason, blame| row("error", reason, "-", blame);
    let silence = || row("timeout", "TIMEOUT", "-", "unknown");
    [
        (
            "a name that does not exist",
            "nxdomain.test",
            &[WORKING][..],
            error("NXDOMAIN", "target"),
        ),
        (
            "a name without an address",
            "nodata.test",
            &[WORKING],
            error("NOANSWER", "target"),
        ),
        (
            "name servers that are broken",
            "servfail.test",
            &[WORKING],
            error("SERVFAIL", "target"),
        ),
        (
            "name servers that refuse",
            "refused.test",
            &[WORKING],
            error("REFUSED", "target"),
        ),
        (
            "name servers that are silent",
            "silent.test",
            &[WORKING],
            silence(),
        ),
        (
            "an alias of a name that is gone",
            "dangling.test",
            &[WORKING],
            error("NXDOMAIN", "target"),
        ),
        (
            "an answer that fits over TCP only",
            "truncated.test",
            &[WORKING],
            fine(),
        ),
        (
            "a resolver that is silent",
            "live.test",
            &[SILENT],
            silence(),
        ),
        (
            "a silent resolver beside one that works",
            "live.test",
            &[SILENT, WORKING],
            fine(),
        ),
        (
            "a refusing resolver beside one that works",
            "live.test",
            &[REFUSING, WORKING],
            fine(),
        ),
        (
            "a failing resolver beside one that works",
            "live.test",
            &[FAILING, WORKING],
            fine(),
        ),
        (
            "an answer that somebody forged",
            "live.test",
            &[FORGED],
            fine(),
        ),
        (
            "a resolver that cuts every answer",
            "live.test",
            &[CUTTING],
            fine(),
        ),
    ]
    .into_iter()
    .map(|(what, name, resolvers, wanted)| {
        let all = sandbox.resolvers();
        let resolvers = resolvers
            .iter()
            .map(|&at| Resolver::Address(all[at]))
            .collect();
        let config = Config {
            resolvers,
            query_timeout: Duration::from_millis(500),
            attempts: 3,
            record_types: vec![RecordType::A],
            ..Config::default()
        };
        Case {
            kind: "dns",
            name: what.to_owned(),
            wanted,
            found: async move {
                let engine = Engine::start(config, CancellationToken::new()).unwrap();
                of_report(&engine.check(name).await)
            }
            .boxed(),
        }
    })
    .collect()
}

/// Who answered for the name is to blame; nobody known where nobody answered.
fn of_report(report: &Report) -> Row {
    let blame = match report.resolver {
        Some(_) => "target",
        None => "unknown",
    };
    match report.outcome {
        Outcome::Ok => fine(),
        Outcome::Timeout => row("timeout", "TIMEOUT", "-", blame),
        Outcome::Error(reason) => row("error", reason.as_str(), "-", blame),
    }
}
