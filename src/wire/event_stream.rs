//! Binary frames of `application/vnd.amazon.eventstream`.
//!
//! Layout: <https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html>. A frame is
//! total length, headers length, CRC-32 of both, headers, payload, CRC-32 of everything before it;
//! all integers are big-endian.

/// Longest frame that is buffered, in bytes. AWS limits payloads to 16 MiB; Bedrock's own are at most about 1.4 MB.
pub const MAX_FRAME_LEN: usize = 16 * 1024 * 1024;

/// Length of the prelude: both lengths and their checksum.
const PRELUDE_LEN: usize = 12;

/// Length of a checksum.
const CRC_LEN: usize = 4;

/// Type of the value of a string header; Bedrock sends no other.
const STRING: u8 = 7;

/// One frame, borrowed from the buffer it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    headers: &'b [u8],
    /// The payload, JSON in Bedrock's streams.
    pub payload: &'b [u8],
}

/// Why bytes are not frames. Nothing after them can be read either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A length that no frame can have.
    #[error("a frame has an impossible length")]
    Length,
    /// Longer than [`MAX_FRAME_LEN`].
    #[error("a frame is longer than 16 MiB")]
    TooLong,
    /// A checksum does not match: bytes were lost or changed.
    #[error("a frame's checksum does not match")]
    Checksum,
}

/// Splits the first frame off a buffer: the frame and its length, or `None` while the frame is incomplete.
///
/// # Errors
///
/// When the buffer does not start with a frame.
pub fn split_frame(buffer: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some((prelude, rest)) = buffer.split_at_checked(PRELUDE_LEN) else {
        return Ok(None);
    };
    let word = |at: usize| {
        let bytes = prelude.get(at..at + 4).and_then(|b| b.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or_default())
    };
    let (total, headers, crc) = (word(0) as usize, word(4) as usize, word(8));
    if prelude.get(..8).map(crc32fast::hash) != Some(crc) {
        return Err(FrameError::Checksum);
    }
    if total > MAX_FRAME_LEN {
        return Err(FrameError::TooLong);
    }
    let after_prelude = total
        .checked_sub(PRELUDE_LEN + CRC_LEN)
        .filter(|length| headers <= *length)
        .ok_or(FrameError::Length)?;
    let Some((content, rest)) = rest.split_at_checked(after_prelude) else {
        return Ok(None);
    };
    let Some(crc) = rest.first_chunk::<CRC_LEN>() else {
        return Ok(None);
    };
    let covered = buffer.get(..total - CRC_LEN).unwrap_or_default();
    if crc32fast::hash(covered) != u32::from_be_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    let (headers, payload) = content.split_at(headers);
    Ok(Some((Frame { headers, payload }, total)))
}

impl<'b> Frame<'b> {
    /// Value of a string header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'b str> {
        let mut rest = self.headers;
        while let Some(header) = split_header(&mut rest) {
            if header.name == name.as_bytes() {
                return std::str::from_utf8(header.string?).ok();
            }
        }
        None
    }
}

struct Header<'b> {
    name: &'b [u8],
    /// The value, if it is a string.
    string: Option<&'b [u8]>,
}

/// Takes one header off `rest`; `None` at the end, or where the bytes are not a header.
fn split_header<'b>(rest: &mut &'b [u8]) -> Option<Header<'b>> {
    let (&[name_len], tail) = rest.split_first_chunk()?;
    let (name, tail) = tail.split_at_checked(name_len.into())?;
    let (&[value_type], tail) = tail.split_first_chunk()?;
    let (value_len, tail) = match value_type {
        0 | 1 => (0, tail),
        2 => (1, tail),
        3 => (2, tail),
        4 => (4, tail),
        5 | 8 => (8, tail),
        9 => (16, tail),
        6 | STRING => {
            let (&length, tail) = tail.split_first_chunk()?;
            (u16::from_be_bytes(length).into(), tail)
        }
        _ => return None,
    };
    let (value, tail) = tail.split_at_checked(value_len)?;
    *rest = tail;
    Some(Header {
        name,
        string: (value_type == STRING).then_some(value),
    })
}

/// Turns a stream of bytes, cut at any points, back into frames.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    consumed: usize,
}

impl FrameDecoder {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    ///
    /// When the bytes are not frames; every later call fails too.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let rest = self.buffer.get(self.consumed..).unwrap_or_default();
        let split = split_frame(rest)?;
        Ok(split.map(|(frame, length)| {
            self.consumed += length;
            frame
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    struct Vector {
        name: String,
        frame: Vec<u8>,
        payload: String,
    }

    fn vectors() -> Vec<Vector> {
        let json = include_str!("../../tests/vectors/event-stream.json");
        let vectors: Vec<Value> = serde_json::from_str(json).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        vectors
            .iter()
            .map(|vector| Vector {
                name: text(&vector["name"]),
                frame: from_hex(&text(&vector["frame_hex"])),
                payload: text(&vector["payload"]),
            })
            .collect()
    }

    fn from_hex(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn all_vectors_are_read() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            let (frame, length) = split_frame(&vector.frame).unwrap().unwrap();
            assert_eq!(length, vector.frame.len(), "{}", vector.name);
            assert_eq!(frame.payload, vector.payload.as_bytes(), "{}", vector.name);
            let expected = match vector.name.as_str() {
                "invoke-chunk" => [Some("event"), Some("chunk"), None],
                "throttlingException" => [Some("exception"), None, Some("throttlingException")],
                "converse-contentBlockDelta" => [Some("event"), Some("contentBlockDelta"), None],
                "error-message" => [Some("error"), None, None],
                _ => [None, None, None],
            };
            let seen =
                [":message-type", ":event-type", ":exception-type"].map(|name| frame.header(name));
            assert_eq!(seen, expected, "{}", vector.name);
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        for vector in vectors() {
            for at in 0..vector.frame.len() {
                let mut broken = vector.frame.clone();
                broken[at] ^= 0x01;
                let seen = split_frame(&broken);
                assert!(
                    !matches!(seen, Ok(Some(_))),
                    "{} byte {at}: {seen:?}",
                    vector.name
                );
            }
        }
    }

    #[test]
    fn an_endless_frame_is_refused_before_it_is_buffered() {
        let mut prelude = Vec::new();
        prelude.extend_from_slice(&u32::MAX.to_be_bytes());
        prelude.extend_from_slice(&0u32.to_be_bytes());
        prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
        assert_eq!(split_frame(&prelude), Err(FrameError::TooLong));
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for (total, headers) in [(0u32, 0u32), (15, 0), (20, 5)] {
            let mut bytes = Vec::new();
            bytes.extend_from_slice(&total.to_be_bytes());
            bytes.extend_from_slice(&headers.to_be_bytes());
            bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
            bytes.resize(64, 0);
            assert_eq!(split_frame(&bytes), Err(FrameError::Length));
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(cuts in prop::collection::vec(0usize..700, 0..8)) {
            let stream: Vec<u8> = vectors().into_iter().flat_map(|vector| vector.frame).collect();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            cuts.push(stream.len());
            let mut decoder = FrameDecoder::default();
            let (mut start, mut payloads) = (0, Vec::new());
            for cut in cuts {
                decoder.push(&stream[start..cut]);
                start = cut;
                while let Some(frame) = decoder.next_frame().unwrap() {
                    payloads.push(frame.payload.to_vec());
                }
            }
            let expected: Vec<_> = vectors().into_iter().map(|v| v.payload.into_bytes()).collect();
            prop_assert_eq!(payloads, expected);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = FrameDecoder::default();
            decoder.push(&bytes);
            while let Ok(Some(frame)) = decoder.next_frame() {
                let _ = frame.header(":event-type");
            }
        }

        #[test]
        fn arbitrary_headers_never_panic(headers in prop::collection::vec(any::<u8>(), 0..60)) {
            let frame = Frame { headers: &headers, payload: b"" };
            let _ = frame.header(":event-type");
        }
    }
}
