//! Thoughts on their way through a client and back: sealed, and opened for models of the same family.

use std::sync::Arc;

use crate::catalog::ModelFamily;
use crate::chat::{Block, BlockContent, Request, Sealer, Thought};
use crate::routes::{Route, Routes};
use crate::seal::SealKeys;

/// What a sealed thought begins with: a readable one, its text, a NUL and its proof; or an encrypted one.
const THINKING: u8 = b'T';
const REDACTED: u8 = b'R';

/// Seals thoughts of one family.
#[derive(Clone, Debug)]
pub(crate) struct Thoughts {
    pub(crate) keys: Arc<SealKeys>,
    pub(crate) family: ModelFamily,
}

impl Sealer for Thoughts {
    fn seal(&self, thought: &Thought) -> Option<String> {
        let plain = match thought {
            Thought::Thinking {
                thinking,
                signature,
            } => [
                &[THINKING][..],
                thinking.as_bytes(),
                &[0],
                signature.as_bytes(),
            ]
            .concat(),
            Thought::RedactedThinking { data } => [&[REDACTED][..], data.as_bytes()].concat(),
        };
        self.keys.seal_passing(&self.family.name(), &plain)
    }
}

impl Thoughts {
    /// Those of the family behind a route.
    pub(crate) fn of(routes: &Routes, route: &Route<'_>) -> Self {
        Self {
            keys: Arc::clone(routes.seal_keys()),
            family: route.family,
        }
    }

    /// The request with its sealed thoughts opened, if it has any. Those of another family, and those that
    /// were changed, are left out: no model accepts them.
    pub(crate) fn opened<'a>(&self, request: &Request<'a>) -> Option<Request<'a>> {
        let is_sealed =
            |block: &Block<'_>| matches!(block.content, BlockContent::SealedThinking { .. });
        let mut blocks = request.messages.iter().flat_map(|message| &message.blocks);
        if !blocks.any(is_sealed) {
            return None;
        }
        let place = self.family.name();
        let mut request = request.clone();
        for message in &mut request.messages {
            message.blocks.retain_mut(|block| {
                let BlockContent::SealedThinking { sealed } = &block.content else {
                    return true;
                };
                let plain = self.keys.open_passing(&place, sealed);
                let opened = plain.and_then(|plain| String::from_utf8(plain).ok());
                let Some(content) = opened.as_deref().and_then(read) else {
                    return false;
                };
                block.content = content;
                true
            });
        }
        Some(request)
    }
}

fn read<'a>(plain: &str) -> Option<BlockContent<'a>> {
    let (kind, rest) = plain.split_at_checked(1)?;
    match *kind.as_bytes().first()? {
        THINKING => {
            let (text, signature) = rest.rsplit_once('\0')?;
            Some(BlockContent::Thinking {
                text: text.to_owned().into(),
                signature: signature.to_owned().into(),
            })
        }
        REDACTED => Some(BlockContent::RedactedThinking {
            data: rest.to_owned().into(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::testing::says;

    fn thoughts(family: ModelFamily) -> Thoughts {
        Thoughts {
            keys: Arc::default(),
            family,
        }
    }

    /// What is left of a thought that comes back to a family.
    fn back(sealed: String, family: ModelFamily) -> Option<String> {
        let mut request = says(&["Hi", "Hello"]);
        request.messages[1].blocks[0].content = BlockContent::SealedThinking {
            sealed: sealed.into(),
        };
        let opened = thoughts(family).opened(&request).unwrap();
        let block = opened.messages[1].blocks.first();
        block.map(|block| format!("{:?}", block.content))
    }

    #[test]
    fn thoughts_come_back_byte_for_byte_to_their_family() {
        let claude = thoughts(ModelFamily::Anthropic);
        let thinking = Thought::Thinking {
            thinking: "a\0b\n\"é".to_owned(),
            signature: "c2ln".to_owned(),
        };
        let sealed = claude.seal(&thinking).unwrap();
        assert_eq!(
            back(sealed.clone(), ModelFamily::Anthropic).unwrap(),
            r#"Thinking { text: "a\0b\n\"é", signature: "c2ln" }"#
        );
        assert_eq!(back(sealed, ModelFamily::Nova), None);
        let redacted = Thought::RedactedThinking {
            data: "ZGF0YQ==".to_owned(),
        };
        let sealed = claude.seal(&redacted).unwrap();
        assert_eq!(
            back(sealed, ModelFamily::Anthropic).unwrap(),
            r#"RedactedThinking { data: "ZGF0YQ==" }"#
        );
        assert_eq!(back("gAAAAAB".to_owned(), ModelFamily::Anthropic), None);
    }

    #[test]
    fn a_request_without_thoughts_is_not_copied() {
        assert!(
            thoughts(ModelFamily::Anthropic)
                .opened(&says(&["Hi"]))
                .is_none()
        );
    }
}
