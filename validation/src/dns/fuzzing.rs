//! A message read the way that a socket reads one, for a fuzzer and for the inputs that it keeps.

use std::hint::black_box;

use super::{
    RecordType,
    message::{Answer, Header, Question},
    name::WireName,
};

/// The types that are asked for.
const TYPES: [RecordType; 8] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Mx,
    RecordType::Ns,
    RecordType::Txt,
    RecordType::Soa,
    RecordType::Caa,
];

/// Reads a message as the answer to a question about `example.com`; the first byte says for which type.
///
/// # Panics
/// When more is made of the message than there is in it.
#[cfg_attr(not(fuzzing), allow(unreachable_pub))]
pub fn read_message(data: &[u8]) {
    let Some((kind, message)) = data.split_first() else {
        return;
    };
    let wanted = TYPES.into_iter().cycle().nth(usize::from(*kind));
    let (Some(wanted), Ok(name)) = (wanted, WireName::encode("example.com")) else {
        return;
    };
    let question = Question::new(&name, wanted);
    let Some(header) = Header::read(message) else {
        return;
    };
    // Whether or not the question matches, the records are read: an attacker copies the question.
    black_box(question.is_asked_by(&header, message));
    if let Ok(answer) = Answer::read(&header, message, &question) {
        // A record has at least eleven bytes, and text at most four characters for a byte of a name.
        assert!(answer.records.len() <= message.len() / 11 * 16 + 1);
    }
}
