//! Orders over HTTPS for clients that have a certificate: axum on rustls.

mod caller;
mod orders;
mod settings;
mod tls;

use std::sync::Arc;

use anyhow::Result;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::Level;

use crate::caller::CallerAcceptor;
use crate::settings::Settings;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt::init();
    let settings = Settings::from_environment()?;
    let tls = RustlsConfig::from_config(Arc::new(tls::config(&settings)?));
    let requests = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    tracing::info!("listening on {}", settings.listen);
    axum_server::bind(settings.listen)
        .acceptor(CallerAcceptor(RustlsAcceptor::new(tls)))
        .serve(orders::routes().layer(requests).into_make_service())
        .await?;
    Ok(())
}
