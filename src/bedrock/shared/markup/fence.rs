//! Fenced code and JSON in an answer: tags in them are part of what is shown.

/// The length of the run of backticks that opens or closes a block.
const RUN: usize = 3;

/// Where the text of an answer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fence {
    /// Backticks at the end of what was read.
    run: usize,
    is_open: bool,
    /// The last byte that was read.
    last: u8,
    json: Json,
}

/// Where it is in JSON.
#[derive(Clone, Copy, Debug)]
enum Json {
    /// Nowhere: it is prose.
    Nowhere,
    /// Before a value, if the next character begins one.
    Before,
    /// In an object or a list, so deep.
    Inside(usize),
    /// In a string at that depth.
    String(usize),
    /// Behind a backslash in a string.
    Escaped(usize),
}

impl Fence {
    /// At the beginning of an answer, which may have to be JSON.
    pub(super) fn of(json: bool) -> Self {
        Self {
            run: 0,
            is_open: false,
            last: 0,
            json: if json { Json::Before } else { Json::Nowhere },
        }
    }

    /// Reads on.
    pub(super) fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            self.run = if byte == b'`' { self.run + 1 } else { 0 };
            if self.run == RUN && !self.is_inside_json() {
                self.is_open = !self.is_open;
            }
            self.json = self.json.next(byte);
        }
        self.last = text.bytes().last().unwrap_or(self.last);
    }

    /// The same for a text without backticks.
    pub(super) fn skip(&mut self, text: &str) {
        if !matches!(self.json, Json::Nowhere) {
            return self.read(text);
        }
        self.run = 0;
        self.last = text.bytes().last().unwrap_or(self.last);
    }

    /// Whether a tag that follows is only shown or talked about.
    pub(super) fn is_quoting(self) -> bool {
        self.is_open || self.is_inside_json() || matches!(self.last, b'`' | b'"' | b'\'')
    }

    /// Whether a tag that follows is part of JSON.
    pub(super) fn is_inside_json(self) -> bool {
        !matches!(self.json, Json::Nowhere | Json::Before)
    }
}

impl Json {
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Nowhere, _) => Self::Nowhere,
            (Self::Before, b'{' | b'[') => Self::Inside(1),
            (Self::Before, b'"') => Self::String(0),
            (Self::Before, byte) if byte.is_ascii_whitespace() => Self::Before,
            (Self::Before, _) => Self::Nowhere,
            (Self::Inside(depth), b'{' | b'[') => Self::Inside(depth + 1),
            (Self::Inside(depth), b'}' | b']') => Self::outside(depth.saturating_sub(1)),
            (Self::Inside(depth), b'"') => Self::String(depth),
            (Self::String(depth), b'\\') => Self::Escaped(depth),
            (Self::String(depth), b'"') => Self::outside(depth),
            (Self::Escaped(depth), _) => Self::String(depth),
            (same, _) => same,
        }
    }

    /// At the end of something at this depth.
    fn outside(depth: usize) -> Self {
        if depth == 0 {
            Self::Before
        } else {
            Self::Inside(depth)
        }
    }
}
