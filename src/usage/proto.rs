//! The little of protobuf that reports need: writing varints and bytes, and reading the fields of a message.
//!
//! <https://protobuf.dev/programming-guides/encoding/>. Fields with their default value are left out, as proto3 does, so
//! that a record stays small.

/// Wire type of numbers.
const VARINT: u64 = 0;
/// Wire type of eight bytes.
const FIXED64: u64 = 1;
/// Wire type of texts, bytes and messages.
const BYTES: u64 = 2;
/// Wire type of four bytes.
const FIXED32: u64 = 5;

/// Adds a number that is not 0.
pub(super) fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    if value != 0 {
        varint(out, field << 3 | VARINT);
        varint(out, value);
    }
}

/// Adds bytes, or a text, that are not empty.
pub(super) fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    if !value.is_empty() {
        message(out, field, value);
    }
}

/// Adds a message, which may be empty.
pub(super) fn message(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | BYTES);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'m> {
    Number(u64),
    Bytes(&'m [u8]),
}

/// Reads the fields of a message one after the other, up to its end or to the first that cannot be read. Those of four
/// and eight bytes, which we never write, are passed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'m>(pub(super) &'m [u8]);

impl Fields<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'m> Fields<'m> {
    fn take(&mut self, length: usize) -> Option<&'m [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = (u64, Value<'m>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = self.varint()?;
            let value = match key & 7 {
                VARINT => Value::Number(self.varint()?),
                BYTES => {
                    let length = usize::try_from(self.varint()?).ok()?;
                    Value::Bytes(self.take(length)?)
                }
                FIXED64 => {
                    self.take(8)?;
                    continue;
                }
                FIXED32 => {
                    self.take(4)?;
                    continue;
                }
                _ => return None,
            };
            return Some((key >> 3, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        number(&mut out, 1, 300);
        number(&mut out, 2, 0);
        bytes(&mut out, 16, b"text");
        number(&mut out, 3, u64::MAX);
        message(&mut out, 4, b"");
        // The first is the example of protobuf's own documentation, with field 1: 08 ac 02.
        assert_eq!(out[..3], [0x08, 0xac, 0x02]);
        let read: Vec<_> = Fields(&out).collect();
        assert_eq!(
            read,
            [
                (1, Value::Number(300)),
                (16, Value::Bytes(b"text")),
                (3, Value::Number(u64::MAX)),
                (4, Value::Bytes(b"")),
            ]
        );
    }

    #[test]
    fn other_types_are_passed_over_and_what_is_cut_off_ends_the_message() {
        let fixed = [0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 7];
        assert_eq!(Fields(&fixed).collect::<Vec<_>>(), [(3, Value::Number(7))]);
        for length in 0..fixed.len() - 1 {
            let cut = fixed.get(..length).unwrap();
            assert!(Fields(cut).next().is_none(), "{length}");
        }
        assert!(Fields(&[0x80; 11]).next().is_none());
        assert!(Fields(&[0x12, 5, b'a']).next().is_none());
    }
}
