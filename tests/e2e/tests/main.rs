//! The rules of the product, tested from a client's request to Bedrock's wire and back.

mod admin_over_tls;
mod answer_headers;
mod channels;
mod chat;
mod credential_sources;
mod failover;
mod failures;
mod hostile_answers;
mod hostile_requests;
mod istio;
mod limits;
mod memory;
mod native_signing;
mod openai_package;
mod plugin_config;
mod readiness;
mod restarts;
mod secrecy;
mod starts;
mod static_mode;
mod streams;
mod strictness;
mod tls;
mod tools;
mod upgrade;
mod wire;
