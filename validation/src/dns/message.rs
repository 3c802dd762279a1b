//! The few parts of a DNS message that the engine reads and writes, RFC 1035 §4.
//!
//! Everything is bounded: a name has at most 255 bytes and pointers that only lead backwards, a section at
//! most as many records as its bytes can hold, an alias chain at most [`MAX_CHAIN`] steps. Nothing panics on
//! any input; the tests hold the answers against hickory-proto's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Record, RecordType, name::WireName, rdata};

/// Length of the header.
const HEADER: usize = 12;
/// Most aliases that are followed within one answer.
const MAX_CHAIN: usize = 16;
/// Most records of an authority section that are looked at; a zone has 13 name servers at most, with few exceptions.
const MAX_AUTHORITY: u16 = 32;
/// UDP payload that we accept without fragments, RFC 9715.
const UDP_PAYLOAD: u16 = 1_232;
/// Class IN.
const CLASS_IN: u16 = 1;
/// Type OPT, RFC 6891.
const TYPE_OPT: u16 = 41;

/// What a resolver answers, RFC 1035 §4.1.1.
pub(super) const NOERROR: u8 = 0;
/// The resolver did not understand the query, perhaps its EDNS part.
pub(super) const FORMERR: u8 = 1;
/// The resolver could not find out.
pub(super) const SERVFAIL: u8 = 2;
/// The name does not exist.
pub(super) const NXDOMAIN: u8 = 3;
/// The resolver does not know this kind of query.
pub(super) const NOTIMP: u8 = 4;
/// The resolver will not say.
pub(super) const REFUSED: u8 = 5;

/// One question, ready for the wire.
#[derive(Debug)]
pub(super) struct Question {
    /// Name, type and class as they stand in the message.
    wire: Vec<u8>,
    name: WireName,
    record_type: RecordType,
}

impl Question {
    pub(super) fn new(name: &WireName, record_type: RecordType) -> Self {
        let mut wire = Vec::with_capacity(name.as_wire().len() + 4);
        wire.extend_from_slice(name.as_wire());
        wire.extend_from_slice(&record_type.code().to_be_bytes());
        wire.extend_from_slice(&CLASS_IN.to_be_bytes());
        Self {
            wire,
            name: name.clone(),
            record_type,
        }
    }

    pub(super) const fn record_type(&self) -> RecordType {
        self.record_type
    }

    pub(super) const fn name(&self) -> &WireName {
        &self.name
    }

    /// Writes a query: recursion desired, AD asked for (RFC 6840 §5.7), EDNS where the server knows it.
    pub(super) fn message(&self, id: u16, edns: bool) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER + self.wire.len() + 11);
        message.extend_from_slice(&id.to_be_bytes());
        message.extend_from_slice(&[
            0b0000_0001,
            0b0010_0000,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            u8::from(edns),
        ]);
        message.extend_from_slice(&self.wire);
        if edns {
            message.push(0);
            message.extend_from_slice(&TYPE_OPT.to_be_bytes());
            message.extend_from_slice(&UDP_PAYLOAD.to_be_bytes());
            message.extend_from_slice(&[0; 6]);
        }
        message
    }

    /// Tells whether the message asks this and nothing else, whatever the case of its letters.
    ///
    /// A server that failed before it read the question may leave it out.
    pub(super) fn is_asked_by(&self, header: &Header, message: &[u8]) -> bool {
        match header.questions {
            0 => !matches!(header.rcode, NOERROR | NXDOMAIN),
            1 => message
                .get(HEADER..HEADER + self.wire.len())
                // Type and class hold no bytes that change with the case: the types we ask for are below 'A' or above 'z'.
                .is_some_and(|asked| asked.eq_ignore_ascii_case(&self.wire)),
            _ => false,
        }
    }
}

/// The fixed head of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) response: bool,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    pub(super) recursion_available: bool,
    pub(super) authentic: bool,
    pub(super) rcode: u8,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
}

impl Header {
    /// Reads the head; nothing if the message is shorter or is no plain query or answer.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let &[i1, i2, f1, f2, q1, q2, a1, a2, n1, n2, _, _] = message.first_chunk::<HEADER>()?;
        if f1 & 0b0111_1000 != 0 {
            return None;
        }
        Some(Self {
            id: u16::from_be_bytes([i1, i2]),
            response: f1 & 0b1000_0000 != 0,
            authoritative: f1 & 0b100 != 0,
            truncated: f1 & 0b10 != 0,
            recursion_available: f2 & 0b1000_0000 != 0,
            authentic: f2 & 0b10_0000 != 0,
            rcode: f2 & 0b1111,
            questions: u16::from_be_bytes([q1, q2]),
            answers: u16::from_be_bytes([a1, a2]),
            authorities: u16::from_be_bytes([n1, n2]),
        })
    }
}

/// What an answer says about its question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) rcode: u8,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    pub(super) authentic: bool,
    pub(super) recursion_available: bool,
    /// The alias chain, then the records of the type asked for at its end; nothing that is not on that way.
    pub(super) records: Vec<Record>,
    pub(super) addresses: Vec<IpAddr>,
    /// Name servers that stand beside an answer, of zones in which the name stands.
    pub(super) authority: Vec<NameServer>,
}

/// A name server of a zone, both in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameServer {
    pub(super) zone: String,
    pub(super) name: String,
}

/// The answer section does not follow the rules of its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Answer {
    /// Reads what belongs to the question out of a message whose head and question were already matched.
    ///
    /// # Errors
    /// [`Malformed`], unless the message says itself that it was cut short: then what fitted is kept.
    pub(super) fn read(
        header: &Header,
        message: &[u8],
        question: &Question,
    ) -> Result<Self, Malformed> {
        let mut answer = Self {
            rcode: header.rcode,
            authoritative: header.authoritative,
            truncated: header.truncated,
            authentic: header.authentic,
            recursion_available: header.recursion_available,
            records: Vec::new(),
            addresses: Vec::new(),
            authority: Vec::new(),
        };
        if header.answers == 0 || header.questions == 0 {
            return Ok(answer);
        }
        let start = HEADER + question.wire.len();
        match answer.follow(header.answers, message, start, question) {
            Err(Malformed) if !header.truncated => Err(Malformed),
            _ => {
                if header.authorities > 0 && header.rcode == NOERROR {
                    // A bonus: an answer is none the worse for an authority section that cannot be read.
                    let _ = answer.note_authority(header, message, start, question);
                }
                Ok(answer)
            }
        }
    }

    /// Notes the name servers in the authority section, RFC 1035 §4.3.1, behind the answers.
    fn note_authority(
        &mut self,
        header: &Header,
        message: &[u8],
        start: usize,
        question: &Question,
    ) -> Result<(), Malformed> {
        let mut reader = Reader::new(message, start);
        for _ in 0..header.answers {
            reader.entry()?;
        }
        for _ in 0..header.authorities.min(MAX_AUTHORITY) {
            let entry = reader.entry()?;
            if entry.class == CLASS_IN
                && entry.code == RecordType::Ns.code()
                && question.name.is_in(&entry.owner)
            {
                self.authority.push(NameServer {
                    zone: entry.owner.to_text(),
                    name: rdata::to_text(RecordType::Ns, message, entry.data)?,
                });
            }
        }
        Ok(())
    }

    /// Walks the section, in the usual order once, and again only when aliases stand behind their targets.
    fn follow(
        &mut self,
        count: u16,
        message: &[u8],
        start: usize,
        question: &Question,
    ) -> Result<(), Malformed> {
        let mut owner = question.name.clone();
        let mut aliases = 0;
        loop {
            let mut moved = false;
            let mut reader = Reader::new(message, start);
            for _ in 0..count {
                let entry = reader.entry()?;
                if entry.class != CLASS_IN || entry.owner != owner {
                    continue;
                }
                let Some(record_type) = RecordType::from_code(entry.code) else {
                    continue;
                };
                let is_alias = record_type == RecordType::Cname;
                if record_type != question.record_type && !is_alias {
                    continue;
                }
                let value = rdata::to_text(record_type, message, entry.data)?;
                self.addresses
                    .extend(address(record_type, message, entry.data));
                self.records.push(Record {
                    record_type,
                    value,
                    ttl: entry.ttl,
                });
                if is_alias && question.record_type != RecordType::Cname {
                    owner = Reader::new(message, entry.data.0).name()?;
                    aliases += 1;
                    moved = true;
                    if aliases == MAX_CHAIN {
                        return Ok(());
                    }
                }
            }
            let arrived = self
                .records
                .iter()
                .any(|each| each.record_type == question.record_type);
            if !moved || arrived {
                return Ok(());
            }
        }
    }
}

fn address(record_type: RecordType, message: &[u8], data: (usize, usize)) -> Option<IpAddr> {
    let bytes = message.get(data.0..data.1)?;
    match record_type {
        RecordType::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        RecordType::Aaaa => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        _ => None,
    }
}

/// One resource record, its data still in the message.
#[derive(Debug)]
pub(super) struct Entry {
    owner: WireName,
    code: u16,
    class: u16,
    ttl: u32,
    /// Where the data begins and ends.
    data: (usize, usize),
}

/// Reads forward through a message; names may point backwards.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8], at: usize) -> Self {
        Self { message, at }
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self
            .message
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<N>())
            .ok_or(Malformed)?;
        self.at += N;
        Ok(*bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.bytes().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.bytes().map(u32::from_be_bytes)
    }

    /// Reads a name, compressed or not; each pointer must lead to before everything read so far, RFC 1035 §4.1.4.
    pub(super) fn name(&mut self) -> Result<WireName, Malformed> {
        let mut name = WireName::empty();
        let mut at = self.at;
        let mut limit = self.at;
        let mut jumped = false;
        loop {
            let length = usize::from(*self.message.get(at).ok_or(Malformed)?);
            match length {
                0 => {
                    if !jumped {
                        self.at = at + 1;
                    }
                    return if name.push_root() {
                        Ok(name)
                    } else {
                        Err(Malformed)
                    };
                }
                1..=63 => {
                    let label = self.message.get(at + 1..at + 1 + length).ok_or(Malformed)?;
                    if !name.push_label(label) {
                        return Err(Malformed);
                    }
                    at += 1 + length;
                }
                0xc0.. => {
                    let low = usize::from(*self.message.get(at + 1).ok_or(Malformed)?);
                    let target = ((length & 0x3f) << 8) | low;
                    if !jumped {
                        self.at = at + 2;
                        jumped = true;
                    }
                    // Strictly decreasing, hence finite.
                    if target >= limit {
                        return Err(Malformed);
                    }
                    limit = target;
                    at = target;
                }
                _ => return Err(Malformed),
            }
        }
    }

    fn entry(&mut self) -> Result<Entry, Malformed> {
        let owner = self.name()?;
        let code = self.u16()?;
        let class = self.u16()?;
        let ttl = self.u32()?;
        let length = usize::from(self.u16()?);
        let data = (self.at, self.at + length);
        if data.1 > self.message.len() {
            return Err(Malformed);
        }
        self.at = data.1;
        Ok(Entry {
            owner,
            code,
            class,
            // RFC 2181 §8: a value with the top bit set counts as none.
            ttl: if ttl > i32::MAX.unsigned_abs() {
                0
            } else {
                ttl
            },
            data,
        })
    }
}
