//! From a question to the answer that the world's script wants.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::wire::{Answer, Code, Data, Query, Response, kind};
use crate::world::{Dns, Found, Host, MAX_ALIASES, Record, World};

/// How long negative answers may be kept, in seconds (RFC 2308).
const NEGATIVE_TTL: u32 = 60;

/// What to do with a question.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing.
    Silence,
    /// Send this, so late, and over UDP perhaps only its truncated head.
    Send {
        response: Response,
        delay: Duration,
        truncate_udp: bool,
    },
}

impl Outcome {
    /// Sends a response without records at once.
    pub(crate) fn code(code: Code) -> Self {
        Self::now(Response::empty(code))
    }

    fn now(response: Response) -> Self {
        Self::Send {
            response,
            delay: Duration::ZERO,
            truncate_udp: false,
        }
    }
}

/// Answers a question from the world, following aliases inside it.
pub(crate) fn answer(world: &World, query: &Query<'_>) -> Outcome {
    if query.unknown {
        return Outcome::code(Code::NotImp);
    }
    let mut response = Response::empty(Code::NoError);
    let mut delay = Duration::ZERO;
    let mut truncate_udp = false;
    let mut owner: Option<String> = None;
    for _ in 0..=MAX_ALIASES {
        let name = owner.as_deref().unwrap_or(&query.name);
        let host = match world.find(name) {
            Found::Host(host) => host,
            Found::Empty => {
                return Outcome::Send {
                    response: negative(response, name, Code::NoError),
                    delay,
                    truncate_udp,
                };
            }
            Found::Missing => {
                return Outcome::Send {
                    response: negative(response, name, Code::NxDomain),
                    delay,
                    truncate_udp,
                };
            }
        };
        match &host.dns {
            Dns::Silent => return Outcome::Silence,
            Dns::ServFail => return Outcome::code(Code::ServFail),
            Dns::Refused => return Outcome::code(Code::Refused),
            Dns::NxDomain => {
                return Outcome::Send {
                    response: negative(response, name, Code::NxDomain),
                    delay,
                    truncate_udp,
                };
            }
            Dns::NoData => {
                return Outcome::Send {
                    response: negative(response, name, Code::NoError),
                    delay,
                    truncate_udp,
                };
            }
            Dns::Alias(target) => {
                let data = Data::Name(kind::CNAME, target.clone());
                response.answers.push(Answer {
                    owner: owner.clone(),
                    ttl: host.ttl,
                    data,
                });
                if query.kind == kind::CNAME {
                    return Outcome::Send {
                        response,
                        delay,
                        truncate_udp,
                    };
                }
                owner = Some(target.clone());
                continue;
            }
            Dns::Live => {}
            Dns::Truncated => truncate_udp = true,
            Dns::Delayed(pause) => delay = *pause,
        }
        let before = response.answers.len();
        push_records(&mut response.answers, &host, query.kind, owner.as_deref());
        if response.answers.len() == before {
            response = negative(response, name, Code::NoError);
        }
        return Outcome::Send {
            response,
            delay,
            truncate_udp,
        };
    }
    // Real resolvers give up on a ring of aliases with SERVFAIL.
    Outcome::code(Code::ServFail)
}

/// Adds the SOA of the name's parent, without which a negative answer cannot be kept.
fn negative(mut response: Response, name: &str, code: Code) -> Response {
    let zone = name.split_once('.').map_or("", |(_, parent)| parent);
    response.code = code;
    response.authority.push(Answer {
        owner: Some(zone.to_owned()),
        ttl: NEGATIVE_TTL,
        data: Data::Soa(NEGATIVE_TTL),
    });
    response
}

fn push_records(answers: &mut Vec<Answer>, host: &Host, wanted: u16, owner: Option<&str>) {
    let mut push = |kind: u16, data: Data| {
        if wanted == kind || wanted == kind::ANY {
            answers.push(Answer {
                owner: owner.map(str::to_owned),
                ttl: host.ttl,
                data,
            });
        }
    };
    if !host
        .records
        .iter()
        .any(|record| matches!(record, Record::A(_) | Record::Aaaa(_)))
    {
        push(kind::A, Data::A(Ipv4Addr::LOCALHOST));
    }
    for record in &host.records {
        match record {
            Record::A(address) => push(kind::A, Data::A(*address)),
            Record::Aaaa(address) => push(kind::AAAA, Data::Aaaa(*address)),
            Record::Mx(preference, exchange) => {
                push(kind::MX, Data::Mx(*preference, exchange.clone()))
            }
            Record::Ns(server) => push(kind::NS, Data::Name(kind::NS, server.clone())),
            Record::Txt(text) => push(kind::TXT, Data::Txt(text.clone())),
            Record::Caa(tag, value) => push(kind::CAA, Data::Caa(tag.clone(), value.clone())),
        }
    }
    push(kind::SOA, Data::Soa(NEGATIVE_TTL));
}
