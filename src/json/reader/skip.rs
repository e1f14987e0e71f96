//! Values that nobody reads: only whether they are JSON.

use serde::de::IgnoredAny;

use super::token::Token;
use super::{ARRAY, OBJECT, Reader, Result, give_up};

impl<'de> Reader<'de> {
    /// Passes a value; gives its JSON.
    pub(super) fn skipped(&mut self) -> Result<&'de str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.within(OBJECT, |own| {
                own.separated(b'}', |own| {
                    own.key()?;
                    own.pass(b':')?;
                    own.skip()
                })
            }),
            Some(b'[') => self.within(ARRAY, |own| own.separated(b']', Self::skip)),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => serde_json::from_str::<IgnoredAny>(self.number()).map(drop),
        }
    }

    /// The string that must begin here.
    pub(super) fn key(&mut self) -> Result<Token<'de>> {
        match self.peek() {
            Some(b'"') => self.string(),
            _ => give_up(),
        }
    }

    /// What stands between two brackets, with commas between.
    fn separated(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if self.peek() == Some(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.peek() != Some(b',') {
                return Ok(());
            }
            self.at += 1;
        }
    }
}
