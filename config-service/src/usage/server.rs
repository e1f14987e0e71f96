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
use super::messages::{Ack, Report};

/// Longest report, in bytes; ours are of 1 MiB at most.
const MAX_REPORT_BYTES: usize = 4 * 1024 * 1024;

/// Path of the only method.
const REPORT: &str = "/bedrock.usage.v1.Usage/Report";

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
        let method = Method(self.ledger.clone());
        Box::pin(async move {
            if request.uri().path() != REPORT {
                let status = Status::unimplemented("there is only the method Report");
                return Ok(status.into_http());
            }
            let codec: ProstCodec<Ack, Report> = ProstCodec::default();
            let mut grpc =
                Grpc::new(codec).apply_max_message_size_config(Some(MAX_REPORT_BYTES), None);
            Ok(grpc.unary(method, request).await)
        })
    }
}

/// The method.
struct Method(Ledger);

impl UnaryService<Report> for Method {
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
