//! Cookies of one fetch (RFC 6265, as far as a fetch of seconds needs it).

use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

use super::config::Cookies;

/// Cookies kept in one fetch.
const MAX_COOKIES: usize = 50;
/// Longest pair of name and value, as browsers allow.
const MAX_PAIR: usize = 4_096;

/// Keeps what servers set during one fetch.
#[derive(Debug)]
pub(super) struct Jar {
    keeps: bool,
    /// Pairs that go to the first host only.
    fixed: Option<(String, String)>,
    cookies: Vec<Cookie>,
    /// Counts changes, so that a redirect to the same address with other cookies is not taken for a loop.
    pub(super) version: u32,
}

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    /// The host that may have it, or the domain when `below` is set.
    host: String,
    below: bool,
    path: String,
    secure: bool,
}

impl Jar {
    pub(super) fn new(mode: &Cookies, host: &str) -> Self {
        let fixed = match mode {
            Cookies::Custom(pairs) if !pairs.is_empty() => {
                let line: Vec<_> = pairs
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                Some((host.to_owned(), line.join("; ")))
            }
            _ => None,
        };
        Self {
            keeps: matches!(mode, Cookies::Preserve),
            fixed,
            cookies: Vec::new(),
            version: 0,
        }
    }

    /// Gives the `Cookie` header for an address.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let host = url.host_str()?;
        let line = match &self.fixed {
            Some((owner, line)) if owner == host => line.clone(),
            Some(_) => return None,
            None => {
                let fits = |cookie: &&Cookie| {
                    (cookie.host == host || cookie.below && is_below(host, &cookie.host))
                        && (!cookie.secure || url.scheme() == "https")
                        && covers(&cookie.path, url.path())
                };
                let pairs: Vec<_> = self
                    .cookies
                    .iter()
                    .filter(fits)
                    .map(|cookie| format!("{}={}", cookie.name, cookie.value))
                    .collect();
                pairs.join("; ")
            }
        };
        let value = HeaderValue::from_str(&line).ok()?;
        (!line.is_empty()).then_some(value)
    }

    /// Takes what an answer sets.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        let Some(host) = url.host_str().filter(|_| self.keeps) else {
            return;
        };
        for line in headers.get_all(SET_COOKIE) {
            let Some((cookie, gone)) = line.to_str().ok().and_then(|line| parse(line, host, url))
            else {
                continue;
            };
            let same = |old: &Cookie| {
                old.name == cookie.name && old.host == cookie.host && old.path == cookie.path
            };
            let unchanged = !gone
                && self
                    .cookies
                    .iter()
                    .any(|old| same(old) && old.value == cookie.value);
            if unchanged {
                continue;
            }
            self.cookies.retain(|old| !same(old));
            if !gone && self.cookies.len() < MAX_COOKIES {
                self.cookies.push(cookie);
            }
            self.version += 1;
        }
    }
}

/// Reads one `Set-Cookie` value; tells also whether it removes the cookie.
fn parse(line: &str, host: &str, url: &Url) -> Option<(Cookie, bool)> {
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.len() + value.len() > MAX_PAIR {
        return None;
    }
    let directory = url
        .path()
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        host: host.to_owned(),
        below: false,
        path: if directory.is_empty() {
            "/".to_owned()
        } else {
            directory.to_owned()
        },
        secure: false,
    };
    let mut gone = false;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                // A cookie for a public suffix would go to everybody below it.
                let own = host == domain || is_below(host, &domain);
                if !own || psl::domain(domain.as_bytes()).is_none() && host != domain {
                    return None;
                }
                cookie.below = host != domain || url.domain().is_some();
                cookie.host = domain;
            }
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "max-age" => gone |= value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
            _ => {}
        }
    }
    Some((cookie, gone))
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'))
}

fn covers(cookie: &str, path: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn set(jar: &mut Jar, from: &str, line: &str) {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_str(line).unwrap());
        jar.take(&url(from), &headers);
    }

    fn sent(jar: &Jar, to: &str) -> String {
        jar.header(&url(to))
            .map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_go_back_where_they_belong_and_nowhere_else() {
        let mut jar = Jar::new(&Cookies::Preserve, "shop.example");
        set(&mut jar, "https://shop.example/a/b", "host=1");
        set(
            &mut jar,
            "https://shop.example/",
            "all=2; Domain=.shop.example; Path=/",
        );
        set(&mut jar, "https://shop.example/", "safe=3; Secure; Path=/");
        set(
            &mut jar,
            "https://shop.example/",
            "evil=4; Domain=other.example",
        );
        set(&mut jar, "https://shop.co.uk/", "wide=5; Domain=co.uk");
        assert_eq!(
            sent(&jar, "https://shop.example/a/x"),
            "host=1; all=2; safe=3"
        );
        assert_eq!(sent(&jar, "http://shop.example/"), "all=2");
        assert_eq!(sent(&jar, "https://www.shop.example/a/x"), "all=2");
        assert_eq!(sent(&jar, "https://notshop.example/a/x"), "");
        assert_eq!(sent(&jar, "https://x.co.uk/"), "");
        set(
            &mut jar,
            "https://shop.example/",
            "all=; Max-Age=0; Domain=shop.example; Path=/",
        );
        assert_eq!(sent(&jar, "https://www.shop.example/"), "");
    }

    #[test]
    fn own_cookies_go_to_the_domain_only_and_ignored_ones_nowhere() {
        let mut jar = Jar::new(
            &Cookies::Custom(vec![("a".into(), "1".into()), ("b".into(), "2".into())]),
            "shop.example",
        );
        set(&mut jar, "https://shop.example/", "c=3");
        assert_eq!(sent(&jar, "https://shop.example/"), "a=1; b=2");
        assert_eq!(sent(&jar, "https://other.example/"), "");
        let mut jar = Jar::new(&Cookies::Ignore, "shop.example");
        set(&mut jar, "https://shop.example/", "c=3");
        assert_eq!(sent(&jar, "https://shop.example/"), "");
    }
}
