//! The rules of the product, tested from a client's request to Bedrock's wire and back.

mod chat;
