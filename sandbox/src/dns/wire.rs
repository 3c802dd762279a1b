//! DNS messages on the wire (RFC 1035), written by hand.
//!
//! The clients under test decode with a library; a second, independent encoder means that one mistake cannot cancel
//! itself out, and it answers in about a microsecond.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Record types that the authority knows.
pub(crate) mod kind {
    pub(crate) const A: u16 = 1;
    pub(crate) const NS: u16 = 2;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const MX: u16 = 15;
    pub(crate) const TXT: u16 = 16;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const OPT: u16 = 41;
    pub(crate) const ANY: u16 = 255;
    pub(crate) const CAA: u16 = 257;
}

/// Response codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    NoError = 0,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
}

impl Code {
    fn bits(self) -> u8 {
        match self {
            Self::NoError => 0,
            Self::ServFail => 2,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
        }
    }
}

/// The most that may be sent over UDP to a client that says nothing of its buffer (RFC 1035, 4.2.1).
const PLAIN_UDP: usize = 512;

/// Buffer size that answers announce (DNS flag day 2020).
const OUR_UDP: u16 = 1232;

const HEADER: usize = 12;

/// A question as it came in.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) id: u16,
    /// Lower case, no trailing dot.
    pub(crate) name: String,
    pub(crate) kind: u16,
    /// Anything but QUERY in class IN, which is answered `NOTIMP`.
    pub(crate) unknown: bool,
    recursion_desired: bool,
    // The question's bytes go back unchanged, letter case included (draft-vixie-dnsext-dns0x20).
    question: &'a [u8],
    edns: Option<u16>,
}

fn u16_at(packet: &[u8], at: usize) -> Option<u16> {
    packet
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_be_bytes)
}

impl<'a> Query<'a> {
    /// Reads a query with exactly one question; anything else is none and deserves no answer.
    pub(crate) fn parse(packet: &'a [u8]) -> Option<Self> {
        let id = u16_at(packet, 0)?;
        let flags = u16_at(packet, 2)?;
        let is_response = flags & 0x8000 != 0;
        if is_response || u16_at(packet, 4)? != 1 {
            return None;
        }
        let mut at = HEADER;
        let mut name = String::with_capacity(64);
        loop {
            let length = usize::from(*packet.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            // No compression in a question; 63 is a label's limit.
            if length > 63 || name.len() + length > 254 {
                return None;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name.extend(
                packet
                    .get(at..at + length)?
                    .iter()
                    .map(|byte| char::from(byte.to_ascii_lowercase())),
            );
            at += length;
        }
        let kind = u16_at(packet, at)?;
        let class = u16_at(packet, at + 2)?;
        let question = packet.get(HEADER..at + 4)?;
        let unknown = flags & 0x7800 != 0 || class != 1;
        Some(Self {
            id,
            name,
            kind,
            unknown,
            recursion_desired: flags & 0x0100 != 0,
            question,
            edns: edns(packet, at + 4),
        })
    }

    /// Returns the most bytes that this client takes over UDP.
    pub(crate) fn udp_limit(&self) -> usize {
        self.edns
            .map_or(PLAIN_UDP, |size| usize::from(size.max(512)))
    }
}

/// Returns the buffer size of an OPT record (RFC 6891) that follows the question directly.
fn edns(packet: &[u8], at: usize) -> Option<u16> {
    let only_additional =
        u16_at(packet, 6)? == 0 && u16_at(packet, 8)? == 0 && u16_at(packet, 10)? > 0;
    let is_opt = packet.get(at) == Some(&0) && u16_at(packet, at + 1)? == kind::OPT;
    if only_additional && is_opt {
        u16_at(packet, at + 3)
    } else {
        None
    }
}

/// The data of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Name(u16, String),
    Mx(u16, String),
    Txt(String),
    Caa(String, String),
    /// The start of authority of a zone, with the time that negative answers live.
    Soa(u32),
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The owner; none is the question's name.
    pub(crate) owner: Option<String>,
    pub(crate) ttl: u32,
    pub(crate) data: Data,
}

/// Everything in a response that is not the question.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) code: Code,
    pub(crate) authoritative: bool,
    pub(crate) truncated: bool,
    pub(crate) answers: Vec<Answer>,
    pub(crate) authority: Vec<Answer>,
}

impl Response {
    /// Makes a response without records.
    pub(crate) fn empty(code: Code) -> Self {
        Self {
            code,
            authoritative: false,
            truncated: false,
            answers: Vec::new(),
            authority: Vec::new(),
        }
    }

    /// Encodes the response; past `limit` bytes it is cut to its question with TC set (RFC 2181, section 9).
    pub(crate) fn encode(&self, query: &Query<'_>, limit: usize) -> Vec<u8> {
        let whole = self.write(query, self.truncated);
        if whole.len() <= limit {
            whole
        } else {
            self.write(query, true)
        }
    }

    fn write(&self, query: &Query<'_>, truncated: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend(query.id.to_be_bytes());
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        out.push(
            0x80 | flag(self.authoritative, 0x04)
                | flag(truncated, 0x02)
                | flag(query.recursion_desired, 0x01),
        );
        out.push(0x80 | self.code.bits());
        let (answers, authority): (&[Answer], &[Answer]) = if truncated {
            (&[], &[])
        } else {
            (&self.answers, &self.authority)
        };
        for count in [
            1,
            answers.len(),
            authority.len(),
            usize::from(query.edns.is_some()),
        ] {
            out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
        }
        out.extend(query.question);
        for answer in answers.iter().chain(authority) {
            write_answer(&mut out, answer);
        }
        if query.edns.is_some() {
            out.push(0);
            out.extend(kind::OPT.to_be_bytes());
            out.extend(OUR_UDP.to_be_bytes());
            out.extend([0; 6]);
        }
        out
    }
}

fn write_answer(out: &mut Vec<u8>, answer: &Answer) {
    match &answer.owner {
        // A pointer to the question's name, which always starts right behind the header.
        None => out.extend([0xC0, 0x0C]),
        Some(owner) => write_name(out, owner),
    }
    let mut data = Vec::with_capacity(64);
    let kind = match &answer.data {
        Data::A(address) => {
            data.extend(address.octets());
            kind::A
        }
        Data::Aaaa(address) => {
            data.extend(address.octets());
            kind::AAAA
        }
        Data::Name(kind, name) => {
            write_name(&mut data, name);
            *kind
        }
        Data::Mx(preference, exchange) => {
            data.extend(preference.to_be_bytes());
            write_name(&mut data, exchange);
            kind::MX
        }
        Data::Txt(text) => {
            for chunk in text.as_bytes().chunks(255) {
                data.push(u8::try_from(chunk.len()).unwrap_or(u8::MAX));
                data.extend(chunk);
            }
            kind::TXT
        }
        Data::Caa(tag, value) => {
            data.push(0);
            data.push(u8::try_from(tag.len()).unwrap_or(u8::MAX));
            data.extend(tag.bytes());
            data.extend(value.bytes());
            kind::CAA
        }
        Data::Soa(minimum) => {
            write_name(&mut data, "ns1.sandbox.test");
            write_name(&mut data, "hostmaster.sandbox.test");
            for number in [2_024_010_100, 7200, 900, 1_209_600, *minimum] {
                data.extend(number.to_be_bytes());
            }
            kind::SOA
        }
    };
    out.extend(kind.to_be_bytes());
    out.extend(1_u16.to_be_bytes());
    out.extend(answer.ttl.to_be_bytes());
    out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(data);
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = label.as_bytes().get(..63).unwrap_or(label.as_bytes());
        out.push(u8::try_from(label.len()).unwrap_or(0));
        out.extend(label);
    }
    out.push(0);
}
