//! Orders over HTTPS for clients that have a certificate: Actix Web on OpenSSL.

mod caller;
mod orders;
mod settings;
mod tls;

use actix_web::middleware::Logger;
use actix_web::{App, HttpServer};
use anyhow::Result;
use env_logger::Env;

use crate::settings::Settings;

#[actix_web::main]
async fn main() -> Result<()> {
    env_logger::init_from_env(Env::default().default_filter_or("info"));
    let settings = Settings::from_environment()?;
    let tls = tls::acceptor(&settings)?;
    HttpServer::new(|| App::new().wrap(Logger::default()).service(orders::list))
        .on_connect(caller::remember)
        .bind_openssl(settings.listen, tls)?
        .run()
        .await?;
    Ok(())
}
