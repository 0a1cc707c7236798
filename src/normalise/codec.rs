//! How an entry is kept in a temporary file: one behind the other, each field as short as it comes.

use std::io::{self, Read};

use super::folder::RawEntry;
use crate::domain::{ActionNo, Instant, Kind, PopulationClass, RowId};

/// A UUID follows; otherwise the length of a text and the text.
const UUID: u32 = u32::MAX;

const DEDUCTION: u8 = 1;
const NEGATIVE: u8 = 1 << 1;
const PAID: u8 = 1 << 2;
const MIGRATED: u8 = 1 << 3;
const SUCCEEDED: u8 = 1 << 4;
const LINKED: u8 = 1 << 5;
const ENDS: u8 = 1 << 6;
const BALANCED: u8 = 1 << 7;

/// Adds an entry to `bytes`.
pub(super) fn encode(entry: &RawEntry, bytes: &mut Vec<u8>) {
    let flags = [
        (entry.kind == Kind::Deduction, DEDUCTION),
        (entry.negative, NEGATIVE),
        (entry.paid, PAID),
        (entry.migrated, MIGRATED),
        (entry.succeeded, SUCCEEDED),
        (entry.link.is_some(), LINKED),
        (entry.expires_at.is_some(), ENDS),
        (entry.balance_after.is_some(), BALANCED),
    ];
    bytes.push(flags.into_iter().fold(0, |all, (is_set, flag)| all | if is_set { flag } else { 0 }));
    bytes.push(entry.class as u8);
    bytes.extend(entry.action.0.to_le_bytes());
    bytes.extend(entry.user.to_le_bytes());
    bytes.extend(entry.label.to_le_bytes());
    bytes.extend(entry.tokens.to_le_bytes());
    bytes.extend(entry.at.0.to_le_bytes());
    encode_id(&entry.id, bytes);
    // A row has as many of each as fields are configured, at most.
    let payments = entry.payments.as_deref().map_or(&[][..], |payments| payments);
    bytes.extend((entry.references.len() as u16).to_le_bytes());
    bytes.extend((payments.len() as u16).to_le_bytes());
    entry.references.iter().chain(payments).for_each(|number| bytes.extend(number.to_le_bytes()));
    if let Some(link) = &entry.link {
        encode_id(link, bytes);
    }
    for value in [entry.expires_at.map(|at| at.0), entry.balance_after].into_iter().flatten() {
        bytes.extend(value.to_le_bytes());
    }
}

/// Adds an id to `bytes`.
pub(super) fn encode_id(id: &RowId, bytes: &mut Vec<u8>) {
    match id {
        RowId::Uuid(uuid) => {
            bytes.extend(UUID.to_le_bytes());
            bytes.extend(uuid);
        }
        RowId::Text(text) => {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
    }
}

/// Reads the next entry; `None` at the end.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub(super) fn decode(from: &mut impl Read) -> io::Result<Option<RawEntry>> {
    let mut flags = [0];
    if from.read(&mut flags)? == 0 {
        return Ok(None);
    }
    let is_set = |flag: u8| flags[0] & flag != 0;
    let [class] = bytes(from)?;
    let class = PopulationClass::ALL.get(usize::from(class)).copied().ok_or_else(wrong)?;
    let action = ActionNo(u16::from_le_bytes(bytes(from)?));
    let (user, label) = (number(from)?, number(from)?);
    let (tokens, at) = (i64::from_le_bytes(bytes(from)?), Instant(i64::from_le_bytes(bytes(from)?)));
    let id = decode_id(from)?;
    let (references, payments) = (u16::from_le_bytes(bytes(from)?), u16::from_le_bytes(bytes(from)?));
    let references = (0..references).map(|_| number(from)).collect::<io::Result<Box<[u32]>>>()?;
    let payments = (0..payments).map(|_| number(from)).collect::<io::Result<Vec<u32>>>()?;
    let link = if is_set(LINKED) { Some(Box::new(decode_id(from)?)) } else { None };
    let expires_at = if is_set(ENDS) { Some(Instant(i64::from_le_bytes(bytes(from)?))) } else { None };
    let balance_after = if is_set(BALANCED) { Some(i64::from_le_bytes(bytes(from)?)) } else { None };
    Ok(Some(RawEntry {
        id,
        user,
        label,
        action,
        kind: if is_set(DEDUCTION) { Kind::Deduction } else { Kind::Grant },
        tokens,
        negative: is_set(NEGATIVE),
        at,
        references,
        paid: is_set(PAID),
        payments: (!payments.is_empty()).then(|| Box::new(payments.into())),
        link,
        migrated: is_set(MIGRATED),
        expires_at,
        balance_after,
        succeeded: is_set(SUCCEEDED),
        class,
    }))
}

/// Reads an id.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_id(from: &mut impl Read) -> io::Result<RowId> {
    match number(from)? {
        UUID => Ok(RowId::Uuid(bytes(from)?)),
        length => {
            let mut text = vec![0; length as usize];
            from.read_exact(&mut text)?;
            Ok(RowId::Text(String::from_utf8(text).map_err(|_| wrong())?.into()))
        }
    }
}

/// Reads so many bytes.
///
/// # Errors
/// As [`decode`].
pub(super) fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn number(from: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_le_bytes(bytes(from)?))
}

/// A file that is not what it was.
pub(super) fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file does not hold what was written to it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_as_it_was_whatever_it_says() {
        let uuid = RowId::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
        let ids =
            [uuid.clone(), RowId::Text("".into()), RowId::Text("txn_é".into()), RowId::from_integer(-7)];
        let mut entries = Vec::new();
        for bits in 0..256u32 {
            let is_set = |bit: u32| bits >> bit & 1 == 1;
            let id = |at: u32| ids[at as usize % ids.len()].clone();
            entries.push(RawEntry {
                id: id(bits),
                user: bits * 77,
                label: bits + 70_000,
                action: ActionNo(bits as u16),
                kind: if is_set(0) { Kind::Deduction } else { Kind::Grant },
                tokens: i64::MAX - i64::from(bits),
                negative: is_set(1),
                at: Instant(i64::from(bits) - 100),
                references: (0..bits % 4).collect(),
                paid: is_set(2),
                payments: (bits % 5 > 2).then(|| Box::new((0..bits % 5).collect())),
                link: is_set(5).then(|| Box::new(id(bits / 4))),
                migrated: is_set(3),
                expires_at: is_set(6).then_some(Instant(-i64::from(bits))),
                balance_after: is_set(7).then_some(i64::MIN + i64::from(bits)),
                succeeded: is_set(4),
                class: PopulationClass::ALL[bits as usize % PopulationClass::ALL.len()],
            });
        }
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| encode(entry, &mut bytes));
        let mut from = &bytes[..];
        for entry in &entries {
            assert_eq!(decode(&mut from).unwrap().as_ref(), Some(entry));
        }
        assert_eq!(decode(&mut from).unwrap(), None);
        let cut = bytes.len() - 1;
        let mut from = &bytes[..cut];
        let read = std::iter::from_fn(|| decode(&mut from).transpose()).collect::<Vec<_>>();
        assert_eq!(read.len(), entries.len());
        assert!(read.last().is_some_and(Result::is_err), "half an entry is none");
    }
}
