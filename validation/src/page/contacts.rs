//! Mail addresses and phone numbers, in links and in running text.

use super::Contacts;

/// Adds to a list that is bounded and holds nothing twice.
pub(super) fn add(list: &mut Vec<String>, item: String) {
    if !item.is_empty() && !Contacts::is_full(list) && !list.contains(&item) {
        list.push(item);
    }
}

/// Takes a `mailto:` link.
pub(super) fn mail_link(href: &str, contacts: &mut Contacts) {
    let address = href.split_once(':').map_or("", |(_, rest)| rest);
    let address = address
        .split(['?', ',', ';'])
        .next()
        .unwrap_or_default()
        .trim();
    let address = address.to_ascii_lowercase().replace("%40", "@");
    if let Some((local, domain)) = address.split_once('@')
        && !local.is_empty()
        && domain.contains('.')
    {
        add(&mut contacts.mails, address);
    }
}

/// Takes a `tel:` link.
pub(super) fn phone_link(href: &str, contacts: &mut Contacts) {
    let number = href.split_once(':').map_or("", |(_, rest)| rest);
    let number = number.split([';', '?']).next().unwrap_or_default();
    if let Some(number) = phone(&number.replace("%20", " ").replace("%2B", "+")) {
        add(&mut contacts.phones, number);
    }
}

/// Finds addresses, and numbers in the international form, in visible text.
pub(super) fn from_text(text: &str, contacts: &mut Contacts) {
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        if Contacts::is_full(&contacts.mails) {
            break;
        }
        if let Some(address) = mail_around(text, at) {
            add(&mut contacts.mails, address);
        }
    }
    for at in memchr::memchr_iter(b'+', text.as_bytes()) {
        if Contacts::is_full(&contacts.phones) {
            break;
        }
        let rest = text.get(at..).unwrap_or_default();
        let length = rest
            .bytes()
            .take(26)
            .take_while(|b| {
                b.is_ascii_digit() || matches!(b, b'+' | b' ' | b'(' | b')' | b'-' | b'.' | b'/')
            })
            .count();
        if let Some(number) = rest.get(..length).and_then(phone) {
            add(&mut contacts.phones, number);
        }
    }
}

fn mail_around(text: &str, at: usize) -> Option<String> {
    let in_local =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-');
    let in_domain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let before = text.as_bytes().get(..at)?;
    let after = text.as_bytes().get(at + 1..)?;
    let local = before
        .iter()
        .rev()
        .take(65)
        .take_while(|b| in_local(b))
        .count();
    let domain = after.iter().take(254).take_while(|b| in_domain(b)).count();
    let local = text.get(at - local..at)?.trim_start_matches(['.', '-']);
    let domain = text
        .get(at + 1..at + 1 + domain)?
        .trim_end_matches(['.', '-']);
    let (name, top) = domain.rsplit_once('.')?;
    // `logo@2x.png` is a file.
    let file = ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"].contains(&top);
    let good = (1..=64).contains(&local.len())
        && !name.is_empty()
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
        && !file;
    good.then(|| format!("{local}@{domain}").to_ascii_lowercase())
}

/// Reduces a number to its digits; E.164 numbers have at most 15, and fewer than 7 are an extension.
fn phone(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let digits: String = trimmed.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then(|| {
        if trimmed.starts_with('+') {
            format!("+{digits}")
        } else {
            digits
        }
    })
}
