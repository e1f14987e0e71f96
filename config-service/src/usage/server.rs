//! The gRPC service of `usage.proto`.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, BoxFuture, Service, StdError, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::Ledger;
use super::messages::{Ack, Asked, Figures, Report};

/// Longest report, in bytes; ours are of 1 MiB at most.
const MAX_REPORT_BYTES: usize = 4 * 1024 * 1024;

/// Longest question, in bytes: a name.
const MAX_QUESTION_BYTES: usize = 4 * 1024;

/// Paths of the methods.
const REPORT: &str = "/bedrock.usage.v1.Usage/Report";
const FIGURES: &str = "/bedrock.usage.v1.Usage/Figures";

/// Takes what Envoys report. Clones share one ledger.
#[derive(Clone, Debug)]
pub(crate) struct UsageServer {
    ledger: Ledger,
}

impl UsageServer {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }
}

impl NamedService for UsageServer {
    const NAME: &'static str = "bedrock.usage.v1.Usage";
}

impl<B> Service<http::Request<B>> for UsageServer
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let ledger = self.ledger.clone();
        Box::pin(async move {
            Ok(match request.uri().path() {
                REPORT => {
                    let codec: ProstCodec<Ack, Report> = ProstCodec::default();
                    let grpc = Grpc::new(codec);
                    let mut grpc = grpc.apply_max_message_size_config(Some(MAX_REPORT_BYTES), None);
                    grpc.unary(Reporting(ledger), request).await
                }
                FIGURES => {
                    let codec: ProstCodec<Figures, Asked> = ProstCodec::default();
                    let grpc = Grpc::new(codec);
                    let mut grpc =
                        grpc.apply_max_message_size_config(Some(MAX_QUESTION_BYTES), None);
                    grpc.unary(Telling(ledger), request).await
                }
                _ => {
                    let status =
                        Status::unimplemented("there are only the methods Report and Figures");
                    status.into_http()
                }
            })
        })
    }
}

/// The method that tells what a caller has used.
struct Telling(Ledger);

impl UnaryService<Asked> for Telling {
    type Response = Figures;
    type Future = BoxFuture<Response<Figures>, Status>;

    fn call(&mut self, request: Request<Asked>) -> Self::Future {
        let ledger = self.0.clone();
        Box::pin(async move {
            let caller = request.into_inner().caller;
            let now = now_ms().div_euclid(1_000);
            let json = ledger.figures(&caller, now).await.map_err(|error| {
                tracing::error!(%error, "what a caller has used cannot be read");
                Status::unavailable("usage cannot be read right now; ask again")
            })?;
            Ok(Response::new(Figures { json }))
        })
    }
}

/// The method that takes reports.
struct Reporting(Ledger);

impl UnaryService<Report> for Reporting {
    type Response = Ack;
    type Future = BoxFuture<Response<Ack>, Status>;

    fn call(&mut self, request: Request<Report>) -> Self::Future {
        let ledger = self.0.clone();
        Box::pin(async move {
            let report = request.into_inner();
            // On a task of its own: an Envoy that no longer waits must not leave half of it done.
            let entering = tokio::spawn(async move { ledger.enter(report, now_ms()).await });
            let entered = entering
                .await
                .map_err(|_| Status::internal("the report was not stored"))?;
            entered.map(Response::new).map_err(|error| {
                tracing::error!(%error, "usage cannot be stored; Envoys keep it and try again");
                // Not the error itself, which may name files.
                Status::unavailable("usage cannot be stored right now; send it again")
            })
        })
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
