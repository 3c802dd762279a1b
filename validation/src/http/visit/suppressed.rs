//! Whom the suppression list keeps a hop from.

use std::net::IpAddr;

use super::Visit;
use crate::http::fault::Fault;

impl Visit<'_> {
    /// Tells whether the list names name servers, and nobody asked for those of a host.
    pub(super) fn lacks_servers(&self, host: &str) -> bool {
        let list = self.fetcher.config.suppression.list();
        list.is_ok_and(|list| list.names_servers())
            && host.parse::<IpAddr>().is_err()
            && self.servers.as_ref().is_none_or(|(of, _)| of != host)
    }

    /// Refuses the host of the current hop where its name is on the list, or a name server of it, as far as those are known.
    pub(super) fn hold(&self) -> Result<(), Fault> {
        let host = self.url.host_str().unwrap_or_default();
        let list = &self.fetcher.config.suppression;
        let servers = self.servers.as_ref().filter(|(of, _)| of == host);
        let by_servers = servers.and_then(|(_, servers)| list.name_servers(servers));
        match list.name(host).or(by_servers) {
            Some(held) => {
                self.fetcher.config.suppression.count();
                Err(Fault::held(host, held))
            }
            None => Ok(()),
        }
    }

    /// Takes out the addresses of the current hop that are on the list, and refuses the hop where that leaves none, or
    /// where a proxy would find the host by itself and might choose one of those.
    pub(super) fn unheld(&self, host: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Fault> {
        self.hold()?;
        let list = &self.fetcher.config.suppression;
        let by = found
            .iter()
            .find_map(|address| Some((*address, list.address(*address)?)));
        let Some((address, held)) = by else {
            return Ok(found);
        };
        let free: Vec<IpAddr> = found
            .into_iter()
            .filter(|address| list.address(*address).is_none())
            .collect();
        let forwarded = self
            .through
            .is_some_and(|route| route.forward && self.url.scheme() == "http");
        match free.is_empty() || forwarded {
            true => {
                list.count();
                Err(Fault::held(format_args!("{host} at {address}"), held))
            }
            false => Ok(free),
        }
    }
}
