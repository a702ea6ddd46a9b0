//! nginx as a server. It refuses certificates above TLS: the handshake succeeds, and every request is answered with 400.

mod log;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::feature::Feature::{
    self, Alpn, Crl, EarlyData, Group, NoTickets, OnlyName, Padding, Suite12, Suite13, Tickets,
};
use super::feature::is_tls13_suite;
use super::openssl_conf;
use crate::lab::peer::{ClientPlan, Output, Report, ServerPlan, Stack, missing_program, openssl_cipher};
use crate::peers::{ClientAuth, Version};

/// nginx with a configuration of its own.
pub struct Nginx {
    /// Worker processes below its master; none: one process does it all.
    pub workers: u8,
}

const FEATURES: &[Feature] = &[
    Crl, NoTickets, Tickets, Suite12, Suite13, Group, Alpn, Padding, EarlyData, OnlyName,
];
/// The protocol that it speaks, and refuses all others for.
const PROTOCOL: &str = "http/1.1";
const LOG: &str = "nginx-error.log";

impl Stack for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn lacks(&self) -> Option<String> {
        missing_program("nginx")
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        let possible = Feature::are_all_in(&Feature::of_server(plan), FEATURES);
        if !possible || plan.alpn.is_some_and(|protocol| protocol != PROTOCOL) {
            return Ok(None);
        }
        let file = plan.directory.join("nginx.conf");
        fs::write(&file, configuration(plan, self.workers)).with_context(|| file.display().to_string())?;
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(plan.directory)
            .args(["-e", LOG])
            .arg("-c")
            .arg(file);
        Ok(Some(command))
    }

    fn call(&self, _plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        Ok(None)
    }

    fn server_reports(&self, output: &Output<'_>) -> Result<Vec<Report>> {
        // It is there from the start, but not before it.
        let text = fs::read(output.directory.join(LOG)).unwrap_or_default();
        Ok(log::reports(&String::from_utf8_lossy(&text)))
    }
}

fn configuration(plan: &ServerPlan<'_>, workers: u8) -> String {
    let directives = directives(plan).join(";\n    ");
    let listen = plan.address;
    let other_names = match plan.only_name {
        None => String::new(),
        Some(_) => format!("server {{ listen {listen} ssl default_server; ssl_reject_handshake on; }}"),
    };
    let processes = match workers {
        0 => "master_process off".to_owned(),
        workers => format!("worker_processes {workers}"),
    };
    // The messages of events alone say all that the reports need, a few lines for each connection.
    format!(
        "daemon off;
{processes};
pid nginx.pid;
error_log {LOG} debug_event;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;
  {other_names}
  server {{
    listen {listen} ssl;
    {directives};
    return 200 \"ok\\n\";
  }}
}}
"
    )
}

fn directives(plan: &ServerPlan<'_>) -> Vec<String> {
    let mut lines = vec![
        format!("ssl_certificate {}", plan.identity.chain.display()),
        format!("ssl_certificate_key {}", plan.identity.key.display()),
        "ssl_session_cache shared:sessions:1m".to_owned(),
    ];
    let versions = match plan.version {
        Some(version) => format!("TLSv{}", version.text()),
        None => Version::ALL
            .map(|version| format!("TLSv{}", version.text()))
            .join(" "),
    };
    lines.push(format!("ssl_protocols {versions}"));
    if plan.auth != ClientAuth::None {
        let required = plan.auth == ClientAuth::Required;
        lines.push(format!(
            "ssl_verify_client {}",
            if required { "on" } else { "optional" }
        ));
        lines.push(format!("ssl_client_certificate {}", plan.client_ca.display()));
        lines.push("ssl_verify_depth 5".to_owned());
    }
    let mut add = |line: Option<String>| lines.extend(line);
    add(plan.crl.map(|file| format!("ssl_crl {}", file.display())));
    add(plan
        .tickets
        .map(|count| format!("ssl_conf_command NumTickets {count}")));
    add(plan
        .padding
        .map(|bytes| format!("ssl_conf_command RecordPadding {bytes}")));
    add(plan.cipher.map(|name| match is_tls13_suite(name) {
        true => format!("ssl_conf_command Ciphersuites {name}"),
        false => format!("ssl_ciphers {}", openssl_cipher(name)),
    }));
    add(plan
        .group
        .map(|name| format!("ssl_ecdh_curve {}", openssl_conf::group(name))));
    add(plan.only_name.map(|name| format!("server_name {name}")));
    add(plan.early_data.then(|| "ssl_early_data on".to_owned()));
    lines
}
