//! A sandbox of shops, and `run` over a list of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use sandbox::{ResolverScript, Sandbox, World};

use super::{domainflow, text};

/// A sandbox, and the arguments of a `run` over some of its names.
pub struct Shops {
    pub sandbox: Sandbox,
    list: PathBuf,
    authority: PathBuf,
    expected: sandbox::Expected,
}

impl Shops {
    pub async fn start(directory: &Path, count: usize) -> Self {
        let world = World::generated(11).resolvers([ResolverScript::healthy(); 4]);
        let names: Vec<String> = (0..count)
            .map(|number| format!("shop{number}.test"))
            .collect();
        let expected = world.expected(&names, &["espresso"]);
        let list = directory.join("names.txt");
        // One name is there twice.
        let lines = format!("{}\nSHOP0.test\n", names.join("\n"));
        fs::write(&list, lines).expect("a file");
        let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
        let authority = directory.join("ca.pem");
        fs::write(&authority, sandbox.ca_pem()).expect("a file");
        Self {
            sandbox,
            list,
            authority,
            expected,
        }
    }

    pub fn run(&self, directory: &Path, out: &str) -> Command {
        let mut command = domainflow(&directory.join("data"));
        command
            .args([
                "run",
                "--keyword",
                "espresso",
                "--allow-private",
                "--domains",
            ])
            .arg(&self.list);
        for resolver in self.sandbox.resolvers() {
            command.args(["--resolver", &resolver.to_string()]);
        }
        command
            .args(["--http-port", &self.sandbox.http_port().to_string()])
            .args(["--https-port", &self.sandbox.https_port().to_string()])
            .arg("--trust")
            .arg(&self.authority)
            .arg("--out")
            .arg(directory.join(out));
        command
    }

    fn summary(&self) -> Vec<String> {
        let Self { expected, .. } = self;
        let counts = [
            ("names", expected.names),
            ("dns_ok", expected.dns_ok),
            ("nxdomain", expected.nxdomain),
            ("noanswer", expected.no_answer),
            ("http_ok", expected.http_ok),
            ("not_found", expected.not_found),
            ("upstream_5xx", expected.upstream_5xx),
            ("keyword_domains", expected.with_keywords_on_site),
            ("parked", expected.parked),
        ];
        counts
            .into_iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect()
    }

    /// Expects the counts that are there, but for the redirected, which the sandbox does not count beforehand.
    #[track_caller]
    pub fn is_found_by(&self, output: &Output) {
        let (printed, message) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{message}");
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 10, "{printed}");
        assert_eq!(lines[..9], self.summary(), "{message}");
        let redirected: u64 = lines[9]
            .strip_prefix("redirected ")
            .expect("the last count")
            .parse()
            .expect("a number");
        assert!(redirected > 0, "{printed}");
    }
}
