//! Record data as text, in the notation of zone files (RFC 1035 §5, RFC 8659 §4.1.1 for CAA).

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{
    RecordType,
    message::{Malformed, Reader},
};

/// Writes the data between two positions of a message as text.
///
/// # Errors
/// Data that is shorter or longer than its type says.
pub(super) fn to_text(
    record_type: RecordType,
    message: &[u8],
    (start, end): (usize, usize),
) -> Result<String, Malformed> {
    // Names may point back into the message, but nothing may be read behind the data.
    let message = message.get(..end).ok_or(Malformed)?;
    let mut reader = Reader::new(message, start);
    let text = match record_type {
        RecordType::A => Ipv4Addr::from(reader.bytes::<4>()?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(reader.bytes::<16>()?).to_string(),
        RecordType::Cname | RecordType::Ns => reader.name()?.to_text(),
        RecordType::Mx => format!("{} {}", reader.u16()?, reader.name()?.to_text()),
        RecordType::Soa => {
            let mut text = format!("{} {}", reader.name()?.to_text(), reader.name()?.to_text());
            for _ in 0..5 {
                // Writing to a String cannot fail.
                let _ = write!(text, " {}", reader.u32()?);
            }
            text
        }
        // The strings of one record belong together, RFC 7208 §3.3.
        RecordType::Txt => {
            let data = message.get(start..end).ok_or(Malformed)?;
            return strings(data).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        }
        RecordType::Caa => {
            let [flags] = reader.bytes()?;
            let [length] = reader.bytes()?;
            let tag_start = reader.position();
            let tag_end = tag_start + usize::from(length);
            let tag = message.get(tag_start..tag_end).ok_or(Malformed)?;
            let value = message.get(tag_end..end).ok_or(Malformed)?;
            return Ok(format!(
                "{flags} {} \"{}\"",
                String::from_utf8_lossy(tag).to_ascii_lowercase(),
                String::from_utf8_lossy(value)
            ));
        }
    };
    if reader.position() == end {
        Ok(text)
    } else {
        Err(Malformed)
    }
}

fn strings(mut data: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut all = Vec::with_capacity(data.len());
    while let Some((&length, rest)) = data.split_first() {
        let (string, rest) = rest
            .split_at_checked(usize::from(length))
            .ok_or(Malformed)?;
        all.extend_from_slice(string);
        data = rest;
    }
    Ok(all)
}
