//! How often sites are asked, by the operator's word.

use clap::Args;
use validation::http::politeness::{Bound, Limits};

/// The most connections to one domain or address.
const MOST_CONNECTIONS: i64 = 100;
/// The fewest and the most requests a second of one domain or address.
const OF_ONE: (f64, f64) = (0.001, 1_000.0);
/// The fewest and the most requests a second of the process.
const OF_ALL: (f64, f64) = (0.1, 100_000.0);

/// How often sites are asked over HTTP, by all runs of a process together; what is not said is as it stands.
#[derive(Args, Clone, Debug, Default)]
pub struct PoliteArgs {
    /// Connections at once to the sites of one registrable domain, 1 to 100; 1 without it
    #[arg(long, env = "DOMAINFLOW_POLITE_DOMAIN_CONNECTIONS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=MOST_CONNECTIONS))]
    pub polite_domain_connections: Option<u16>,
    /// Requests a second of one registrable domain, all of its names together, 0.001 to 1000; 1 without it
    #[arg(long, env = "DOMAINFLOW_POLITE_DOMAIN_RATE", value_name = "NUMBER", value_parser = of_one)]
    pub polite_domain_rate: Option<f64>,
    /// Connections at once to one address, or one IPv6 network of 64 bits, 1 to 100; 4 without it
    #[arg(long, env = "DOMAINFLOW_POLITE_ADDRESS_CONNECTIONS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=MOST_CONNECTIONS))]
    pub polite_address_connections: Option<u16>,
    /// Requests a second of one address, all sites there together, 0.001 to 1000; 5 without it
    #[arg(long, env = "DOMAINFLOW_POLITE_ADDRESS_RATE", value_name = "NUMBER", value_parser = of_one)]
    pub polite_address_rate: Option<f64>,
    /// Requests a second of the whole process, 0.1 to 100000; 2000 without it
    #[arg(long, env = "DOMAINFLOW_POLITE_RATE", value_name = "NUMBER", value_parser = of_all)]
    pub polite_rate: Option<f64>,
}

impl PoliteArgs {
    /// Returns the limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let standing = Limits::default();
        let bound = |standing: Bound, connections: Option<u16>, rate: Option<f64>| Bound {
            connections: connections.unwrap_or(standing.connections),
            per_second: rate.unwrap_or(standing.per_second),
        };
        Limits {
            domain: bound(
                standing.domain,
                self.polite_domain_connections,
                self.polite_domain_rate,
            ),
            address: bound(
                standing.address,
                self.polite_address_connections,
                self.polite_address_rate,
            ),
            per_second: self.polite_rate.unwrap_or(standing.per_second),
        }
    }
}

fn of_one(text: &str) -> Result<f64, String> {
    rate(text, OF_ONE)
}

fn of_all(text: &str) -> Result<f64, String> {
    rate(text, OF_ALL)
}

fn rate(text: &str, (least, most): (f64, f64)) -> Result<f64, String> {
    let rate: f64 = text.trim().parse().map_err(|_| "is no number".to_owned())?;
    match (least..=most).contains(&rate) {
        true => Ok(rate),
        false => Err(format!("must be from {least} to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{super::NetworkArgs, *};
    use crate::credentials::Keys;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        network: NetworkArgs,
    }

    /// The limits that the engines of a process with these arguments keep to.
    fn limits(arguments: &[&str]) -> Result<Limits, clap::Error> {
        let line = Line::try_parse_from([&["domainflow"][..], arguments].concat())?;
        let network = line.network.network(Keys::default()).unwrap();
        Ok(network.politeness.standing().limits)
    }

    #[test]
    fn a_target_of_personas_that_dns_personas_cannot_ask_about_is_refused_at_the_start() {
        for target in [
            "http://192.0.2.1/",
            "http://[2001:db8::1]/",
            "ftp://a.test/",
        ] {
            let argument = format!("--persona-test-target={target}");
            let refused = limits(&[argument.as_str()]).unwrap_err().to_string();
            assert!(refused.contains("--persona-test-target"), "{refused}");
        }
        for target in ["shop.test", "https://shop.test/page"] {
            let argument = format!("--persona-test-target={target}");
            limits(&[argument.as_str()]).unwrap();
        }
    }

    #[test]
    fn each_limit_is_an_option_and_what_is_not_said_stands() {
        assert_eq!(limits(&[]).unwrap(), Limits::default());
        let said = [
            "--polite-domain-connections=2",
            "--polite-domain-rate=0.5",
            "--polite-address-connections=7",
            "--polite-address-rate=9",
            "--polite-rate=300",
        ];
        let expected = Limits {
            domain: Bound {
                connections: 2,
                per_second: 0.5,
            },
            address: Bound {
                connections: 7,
                per_second: 9.0,
            },
            per_second: 300.0,
        };
        assert_eq!(limits(&said).unwrap(), expected);
        let one = limits(&["--polite-address-rate=9"]).unwrap();
        assert_eq!(one.domain, Limits::default().domain);
        assert_eq!(
            one.address.connections,
            Limits::default().address.connections
        );
    }

    #[test]
    fn a_limit_out_of_its_bounds_is_refused_by_its_name() {
        for wrong in [
            "--polite-domain-connections=0",
            "--polite-address-connections=101",
            "--polite-domain-rate=0",
            "--polite-domain-rate=-1",
            "--polite-address-rate=1001",
            "--polite-address-rate=NaN",
            "--polite-rate=inf",
            "--polite-rate=often",
        ] {
            let refused = limits(&[wrong]).unwrap_err().to_string();
            let name = wrong.split('=').next().unwrap();
            assert!(refused.contains(name), "{refused}");
        }
    }
}
