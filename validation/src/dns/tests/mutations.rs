//! A deterministic fuzzer: real messages, bent the way that attackers bend them, by the million.
//!
//! What the reader makes of them does not matter here, as long as it ends, in bounded time and memory.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use super::super::{
    RecordType,
    message::{Answer, Header, Question},
    name::WireName,
};

/// Inputs of one run.
const INPUTS: u32 = 1_000_000;
/// The run is over by then, whatever the machine.
const LONGEST_RUN: Duration = Duration::from_secs(4);
/// How long one message may take, with a wide margin for a machine under load.
const LONGEST_READ: Duration = Duration::from_millis(500);
/// Longest message, RFC 1035 §4.2.2.
const LONGEST: usize = 65_535;

/// A generator of pseudo-random numbers (xorshift64*, Marsaglia 2003 and Vigna 2016): the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() >> 16) as usize % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.roll().to_be_bytes()[0]
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Answers as name servers send them, each with what it answers.
fn corpus() -> Vec<(Question, Vec<u8>)> {
    let question = |name, record_type| Question::new(&WireName::encode(name).unwrap(), record_type);
    let answer = |question: &Question, head: &str, rest: &str| {
        let mut message = question.message(0x1234, false);
        message[2..12].copy_from_slice(&hex(head));
        message.extend_from_slice(&hex(rest));
        message
    };
    // The name of the question is at 0c in all of them.
    [
        // www.example.com A, alias to example.com at 0x10, and its name servers.
        (
            question("www.example.com", RecordType::A),
            "8180 0001 0002 0001 0000",
            "c00c 0005 0001 0000012c 0002 c010 c010 0001 0001 0000012c 0004 c0000201 \
             c010 0002 0001 0000012c 0006 036e7331 c010",
        ),
        (
            question("example.com", RecordType::Aaaa),
            "8580 0001 0001 0000 0001",
            "c00c 001c 0001 0000012c 0010 20010db8000000000000000000000001 0000291000000080000000",
        ),
        (
            question("example.com", RecordType::Mx),
            "8180 0001 0002 0000 0000",
            "c00c 000f 0001 0000012c 0009 000a 046d61696c c00c c00c 000f 0001 0000012c 0009 0014 046d786262 c00c",
        ),
        (
            question("example.com", RecordType::Txt),
            "8180 0001 0001 0000 0000",
            "c00c 0010 0001 0000012c 000d 06 763d73706631 05 2d616c6c78",
        ),
        (
            question("example.com", RecordType::Soa),
            "8180 0001 0001 0000 0000",
            "c00c 0006 0001 0000012c 0022 036e7331c00c 0561646d696ec00c 00000001 00001c20 00000258 00015180 0000012c",
        ),
        (
            question("example.com", RecordType::Caa),
            "8180 0001 0001 0000 0000",
            "c00c 0101 0001 0000012c 000e 00 05 6973737565 63612e74657374",
        ),
        (
            question("example.com", RecordType::Ns),
            "8180 0001 0002 0000 0000",
            "c00c 0002 0001 0000012c 0006 036e7331c00c c00c 0002 0001 0000012c 0006 036e7332c00c",
        ),
        (
            question("gone.example.com", RecordType::A),
            "8183 0001 0000 0001 0000",
            "c011 0006 0001 0000012c 0022 036e7331c011 0561646d696ec011 00000001 00001c20 00000258 00015180 0000012c",
        ),
    ]
    .into_iter()
    .map(|(question, head, rest)| {
        let message = answer(&question, head, rest);
        (question, message)
    })
    .collect()
}

/// Bends a message in one of the ways that matter to a reader of this format.
fn mutate(message: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(message.len());
    match dice.below(9) {
        0 => message[at] = dice.byte(),
        1 => message[at] ^= 1 << dice.below(8),
        2 => message.truncate(at),
        // A pointer to anywhere: forward, at itself, into the head.
        3 if at + 1 < message.len() => {
            let target = dice.below(message.len() + 8);
            message[at] = 0xc0 | (target >> 8) as u8;
            message[at + 1] = target as u8;
        }
        // A count that promises more than there is.
        4 if message.len() >= 12 => {
            let section = 4 + 2 * dice.below(4);
            message[section..section + 2].copy_from_slice(&[0xff, dice.byte()]);
        }
        // A piece of itself once more, which moves all that follows.
        5 => {
            let end = (at + 1 + dice.below(40)).min(message.len());
            let piece = message[at..end].to_vec();
            message.splice(at..at, piece);
        }
        6 => {
            let end = (at + 1 + dice.below(20)).min(message.len());
            message.drain(at..end);
        }
        // A length of an extreme.
        7 if at + 1 < message.len() => {
            let extreme = [[0, 0], [0xff, 0xff], [0x7f, 0xff], [0, 1]][dice.below(4)];
            message[at..at + 2].copy_from_slice(&extreme);
        }
        _ => message.push(dice.byte()),
    }
    message.truncate(LONGEST);
}

/// Reads a message the way a socket does.
fn read(question: &Question, message: &[u8]) -> Option<Answer> {
    let header = Header::read(message)?;
    // Whether or not the question matches, the records are read: an attacker copies the question.
    black_box(question.is_asked_by(&header, message));
    Answer::read(&header, message, question).ok()
}

#[test]
fn bent_messages_are_read_or_refused_in_bounded_time() {
    let corpus = corpus();
    for (question, message) in &corpus {
        assert!(read(question, message).is_some(), "{message:02x?}");
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let since = Instant::now();
    let (mut inputs, mut read_well) = (0, 0);
    while inputs < INPUTS && since.elapsed() < LONGEST_RUN {
        let (question, message) = &corpus[dice.below(corpus.len())];
        let mut message = message.clone();
        for _ in 0..=dice.below(4) {
            if message.is_empty() {
                break;
            }
            mutate(&mut message, &mut dice);
        }
        let answer = read(question, &message);
        read_well += u32::from(answer.is_some());
        if let Some(answer) = answer {
            // A record has at least eleven bytes, and text at most four characters for a byte of a name.
            assert!(answer.records.len() <= message.len() / 11 * 16 + 1);
        }
        inputs += 1;
    }
    println!(
        "{inputs} bent messages, {read_well} read, {:?}",
        since.elapsed()
    );
    assert!(inputs >= 10_000 && read_well > 0 && read_well < inputs);
}

/// The dearest messages that fit: as many records and pointers as there can be.
#[test]
fn the_dearest_messages_take_no_longer_than_they_may() {
    let question = Question::new(&WireName::encode("a.example").unwrap(), RecordType::A);
    let head = |count: u16| {
        let mut message = question.message(7, false);
        message[2] |= 0x80;
        message[6..8].copy_from_slice(&count.to_be_bytes());
        message
    };
    let alias = |target: &[u8]| {
        let mut record = hex("c00c 0005 0001 0000012c");
        record.extend_from_slice(&(target.len() as u16).to_be_bytes());
        record.extend_from_slice(target);
        record
    };
    let fill = |piece: &dyn Fn(usize) -> Vec<u8>| {
        let mut message = head(u16::MAX);
        let mut nth = 0;
        loop {
            let next = piece(nth);
            if message.len() + next.len() > LONGEST {
                message[2] |= 0x02;
                return message;
            }
            message.extend_from_slice(&next);
            nth += 1;
        }
    };
    let chain = |nth: usize| {
        let at = question.message(7, false).len() + nth * 14;
        // Each owner is the alias before it: pointers to pointers.
        let mut record = hex("c00c 0005 0001 0000012c 0002");
        if nth > 0 {
            let before = at - 2;
            record[0] = 0xc0 | (before >> 8) as u8;
            record[1] = before as u8;
        }
        let target = if nth > 0 { at } else { 12 };
        record.extend_from_slice(&[0xc0 | (target >> 8) as u8, target as u8]);
        record
    };
    let itself = |_: usize| alias(&[0xc0, 12]);
    let addresses = |nth: usize| {
        let mut record = hex("c00c 0001 0001 0000012c 0004 0a000000");
        record[15] = nth as u8;
        record
    };
    let long = |_: usize| alias(&[[1, b'a'].repeat(126), vec![0]].concat());
    let shapes: [&dyn Fn(usize) -> Vec<u8>; 4] = [&chain, &itself, &addresses, &long];
    for (nth, shape) in shapes.into_iter().enumerate() {
        let message = fill(shape);
        let since = Instant::now();
        let answer = read(&question, &message);
        let took = since.elapsed();
        assert!(took < LONGEST_READ, "shape {nth} took {took:?}");
        let kept: usize = answer.map_or(0, |answer| {
            answer.records.iter().map(|record| record.value.len()).sum()
        });
        assert!(kept <= 16 * LONGEST, "shape {nth} keeps {kept} bytes");
    }
}
