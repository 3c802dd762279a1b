//! The reader of messages against arbitrary bytes and against hickory-proto.

use std::net::IpAddr;

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{
        Name, RData, RecordType as Type,
        rdata::{A, AAAA, CAA, CNAME, MX, NS, SOA, TXT},
    },
};
use proptest::prelude::*;

use super::{
    super::{
        RecordType,
        message::{Answer, Header, Question},
        name::WireName,
    },
    server::record,
};

/// Reads a message as an answer to a question, the way a socket does.
fn read(bytes: &[u8], question: &Question) -> Option<Answer> {
    let header = Header::read(bytes)?;
    question
        .is_asked_by(&header, bytes)
        .then(|| Answer::read(&header, bytes, question).ok())
        .flatten()
}

#[test]
fn names_that_point_forward_or_at_themselves_are_refused() {
    let question = Question::new(&WireName::encode("example.com").unwrap(), RecordType::A);
    let mut message = question.message(7, false);
    message[2] |= 0x80;
    message[7] = 1;
    let owner = message.len() as u8;
    let rest = [0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1];
    for (pointer, accepted) in [(12, true), (owner + 16, false), (owner, false)] {
        let mut bytes = [message.as_slice(), &[0xc0, pointer], &rest].concat();
        bytes.extend_from_slice(b"\x07example\x03com\0");
        assert_eq!(
            read(&bytes, &question).is_some(),
            accepted,
            "pointer to {pointer}"
        );
    }
}

fn labels() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-zA-Z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", 1..6)
        .prop_map(|labels| labels.join("."))
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

fn data() -> impl Strategy<Value = RData> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|bytes| RData::A(A(bytes.into()))),
        any::<[u8; 16]>().prop_map(|bytes| RData::AAAA(AAAA(bytes.into()))),
        labels().prop_map(|target| RData::CNAME(CNAME(name(&target)))),
        labels().prop_map(|target| RData::NS(NS(name(&target)))),
        (any::<u16>(), labels()).prop_map(|(rank, host)| RData::MX(MX::new(rank, name(&host)))),
        proptest::collection::vec(".{0,60}", 1..4).prop_map(|texts| RData::TXT(TXT::new(texts))),
        (labels(), labels(), any::<u32>()).prop_map(|(primary, mail, number)| {
            RData::SOA(SOA::new(
                name(&primary),
                name(&mail),
                number,
                7_200,
                600,
                86_400,
                300,
            ))
        }),
        labels().prop_map(|issuer| RData::CAA(CAA::new_issue(true, Some(name(&issuer)), vec![]))),
    ]
}

fn our_type(record_type: Type) -> RecordType {
    RecordType::from_code(record_type.into()).unwrap()
}

/// The data as we show it, from hickory's own text.
fn shown(data: &RData) -> String {
    let bare = |name: &Name| {
        let text = name.to_ascii().to_ascii_lowercase();
        text.trim_end_matches('.').to_owned()
    };
    match data {
        RData::CNAME(target) => bare(&target.0),
        RData::NS(target) => bare(&target.0),
        RData::MX(mx) => format!("{} {}", mx.preference, bare(&mx.exchange)),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            bare(&soa.mname),
            bare(&soa.rname),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_make_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        flags in any::<u16>(),
        count in 0_u16..20,
        nth in 0_usize..8,
    ) {
        let question =
            Question::new(&WireName::encode("example.com").unwrap(), RecordType::ALL[nth]);
        let _ = read(&bytes, &question);
        // The same behind a head and a question that match, where the records are read.
        let mut message = question.message(7, false);
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[6..8].copy_from_slice(&count.to_be_bytes());
        message.extend_from_slice(&bytes);
        let _ = read(&message, &question);
    }

    #[test]
    fn a_message_with_some_bytes_changed_is_read_as_hickory_reads_it_or_refused(
        owner in labels(),
        records in proptest::collection::vec(data(), 1..6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let asked = records[0].record_type();
        let mut message = Message::new(7, MessageType::Response, OpCode::Query);
        message.queries = vec![Query::query(name(&owner), asked)];
        message.answers = records.into_iter().map(|data| record(&owner, data)).collect();
        let mut bytes = message.to_vec().unwrap();
        for (index, value) in changes {
            // The head and the question stay; those are matched, not read.
            let from = 12 + owner.len() + 6;
            let at = from + index.index(bytes.len() - from);
            bytes[at] = value;
        }
        let question = Question::new(&WireName::encode(&owner).unwrap(), our_type(asked));
        if let (Some(ours), Ok(theirs)) = (read(&bytes, &question), Message::from_vec(&bytes)) {
            let is_alias = |each: &&hickory_proto::rr::Record| each.record_type() == Type::CNAME;
            // Without aliases, exactly the records of that owner and type must come out.
            if !theirs.answers.iter().any(|each| is_alias(&each)) {
                let expected: Vec<IpAddr> = theirs
                    .answers
                    .iter()
                    .filter(|each| each.name == name(&owner.to_ascii_lowercase()))
                    .filter(|each| each.record_type() == asked)
                    .filter(|each| each.dns_class == hickory_proto::rr::DNSClass::IN)
                    .filter_map(|each| each.data.ip_addr())
                    .collect();
                prop_assert_eq!(ours.addresses, expected);
            }
        }
    }

    #[test]
    fn what_hickory_writes_is_read_the_same(
        owner in labels(),
        records in proptest::collection::vec(data(), 1..8),
        authoritative in any::<bool>(),
        authentic in any::<bool>(),
    ) {
        // Everything of the first one's type belongs to the owner, and so comes out in order.
        let asked = records[0].record_type();
        let mut message = Message::new(7, MessageType::Response, OpCode::Query);
        message.metadata.authoritative = authoritative;
        message.metadata.authentic_data = authentic;
        message.queries = vec![Query::query(name(&owner), asked)];
        message.answers = records
            .iter()
            .filter(|data| data.record_type() != Type::CNAME || asked == Type::CNAME)
            .map(|data| record(&owner, data.clone()))
            .collect();
        let bytes = message.to_vec().unwrap();
        let question = Question::new(&WireName::encode(&owner).unwrap(), our_type(asked));
        let ours = read(&bytes, &question).expect("it is well-formed");
        prop_assert_eq!(ours.authoritative, authoritative);
        prop_assert_eq!(ours.authentic, authentic);
        let expected: Vec<String> = records
            .iter()
            .filter(|data| data.record_type() == asked)
            .map(shown)
            .collect();
        let values: Vec<String> = ours.records.iter().map(|each| each.value.clone()).collect();
        prop_assert_eq!(values, expected);
        prop_assert!(ours.records.iter().all(|each| each.ttl == 300));
    }
}
