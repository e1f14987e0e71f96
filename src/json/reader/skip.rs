//! Skips values that are not needed, checking only that they are JSON.

use serde::de::IgnoredAny;

use super::token::Token;
use super::{ARRAY, MAX_DEPTH, OBJECT, Reader, Result, give_up};

impl<'de> Reader<'de> {
    /// Skips a value; returns its JSON.
    pub(super) fn skipped(&mut self) -> Result<&'de str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'{' | b'[') if self.skips_deep && self.depth >= MAX_DEPTH => self.skip_deep(),
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

    /// The same without calling itself.
    fn skip_deep(&mut self) -> Result<()> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        values.next().transpose()?;
        self.at += values.byte_offset();
        Ok(())
    }

    /// The string that must begin here.
    pub(in crate::json) fn key(&mut self) -> Result<Token<'de>> {
        match self.peek() {
            Some(b'"') => self.string(),
            _ => give_up(),
        }
    }

    /// The inside of a pair of brackets, separated by commas.
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
