//! Name servers of companies that park domains, by their own published set-up instructions.
//!
//! A domain delegated to one of these is for sale or shows advertisements; one signal among several.

/// Zones in which parking name servers live; a server is in one if its name ends with it, whole labels only.
const ZONES: [&str; 16] = [
    "above.com",
    "afternic.com",
    "bodis.com",
    "dan.com",
    "hugedomains.com",
    "namedrive.com",
    "ndsplitter.com",
    "parkingcrew.net",
    "parklogic.com",
    "rookdns.com",
    "sedoparking.com",
    "smartname.com",
    "uniregistrymarket.link",
    "voodoo.com",
    "undeveloped.com",
    "ztomy.com",
];

/// Tells whether a name server parks domains.
pub(super) fn is_parking(name_server: &str) -> bool {
    ZONES.iter().any(|zone| {
        name_server
            .strip_suffix(zone)
            .is_some_and(|host| host.is_empty() || host.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_labels_count() {
        assert!(is_parking("ns1.sedoparking.com") && is_parking("dan.com"));
        assert!(!is_parking("ns1.jordan.com") && !is_parking("ns1.example.com"));
        assert!(!is_parking("sedoparking.com.example.net"));
    }
}
