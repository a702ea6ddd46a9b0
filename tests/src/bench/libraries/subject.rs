//! The servers that are measured, one for each TLS library, each from files that nothing else on the host runs.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::rounds::{Load, VERSION};
use crate::bench::load::{self, Credentials};
use crate::bench::workload::{Outcome, Server};
use crate::bench::{ADDRESS, Ground};
use crate::copies::Copies;
use crate::lab::peer::ServerPlan;
use crate::lab::stacks;
use crate::lab::stacks::program::built;
use crate::peers::{ClientAuth, openssl};
use crate::pki::Pki;

/// Of the files that OpenSSL's server gives: a short line, and what is asked for in bulk.
const LINE: &str = "line";
const BULK: &str = "bulk";

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// `openssl s_server`.
    OpenSsl,
    /// The laboratory's, in Go.
    Go,
    /// The benchmark's own, on aws-lc-rs.
    AwsLc,
    /// The benchmark's own, on ring.
    Ring,
}

impl Library {
    /// All.
    pub const ALL: [Self; 4] = [Self::OpenSsl, Self::Go, Self::AwsLc, Self::Ring];

    /// As `--libraries` has it.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::OpenSsl => "openssl",
            Self::Go => "go",
            Self::AwsLc => "aws-lc",
            Self::Ring => "rustls",
        }
    }
}

/// A server to be measured.
pub struct Subject {
    /// Its name in tables.
    pub name: String,
    /// What `--libraries` is to be, for its probes alone.
    pub libraries: &'static str,
    library: Library,
    files: Option<u64>,
    copies: Copies,
}

impl Subject {
    /// The server of a library. With `bulk` it can give so many bytes on one connection.
    ///
    /// # Errors
    /// When its program is missing, or cannot do that.
    pub fn new(library: Library, bulk: Option<u64>) -> Result<Self> {
        let copies = Copies::new()?;
        let name = match library {
            Library::OpenSsl => {
                copies.openssl()?;
                let said = Command::new("openssl")
                    .arg("version")
                    .output()
                    .context("openssl")?;
                let said = String::from_utf8_lossy(&said.stdout).into_owned();
                said.split(' ').take(2).collect::<Vec<_>>().join(" ")
            }
            Library::Go => "Go".into(),
            Library::AwsLc => "rustls, aws-lc-rs".into(),
            Library::Ring => "rustls, ring".into(),
        };
        if let Some(bytes) = bulk {
            fs::write(copies.directory().join(LINE), "a line\n")?;
            // No block of it is ever written to a disk.
            File::create(copies.directory().join(BULK))?.set_len(bytes)?;
        }
        let files = bulk.filter(|_| library == Library::OpenSsl);
        Ok(Self {
            name,
            libraries: library.flag(),
            library,
            files,
            copies,
        })
    }

    /// A command that starts it, to demand client certificates at [`ADDRESS`].
    ///
    /// # Errors
    /// When its program is missing.
    pub fn command(&self, ground: &Ground) -> Result<Command> {
        let pki = &ground.pki;
        match self.library {
            Library::OpenSsl => {
                let mut command = if self.files.is_some() {
                    self.file_server(pki)
                } else {
                    openssl::server(pki, ADDRESS, Some(VERSION), ClientAuth::Required)
                };
                self.copies.lend(command.arg("-quiet"));
                Ok(command)
            }
            Library::Go => {
                let plan = plan(pki, &self.copies);
                let go = stacks::all().into_iter().find(|stack| stack.name() == "go");
                let command = go.context("no Go")?.serve(&plan)?.context("Go cannot serve so")?;
                self.private(&command)
            }
            Library::AwsLc => {
                let mut command = built("rustls-aws-lc-peer")?;
                command.arg("bench-server");
                load::tell(&mut command, VERSION, Credentials::of_server(pki));
                self.private(&command)
            }
            Library::Ring => self.private(&load::server(Credentials::of_server(pki), VERSION)?),
        }
    }

    /// The same of a copy of the program.
    fn private(&self, command: &Command) -> Result<Command> {
        let mut private = Command::new(self.copies.program(&PathBuf::from(command.get_program()))?);
        private.args(command.get_args());
        Ok(private)
    }

    /// OpenSSL's server of files.
    fn file_server(&self, pki: &Pki) -> Command {
        let mut command = Command::new("openssl");
        command
            .args([
                "s_server",
                "-HTTP",
                "-tls1_3",
                "-verify_return_error",
                "-Verify",
                "1",
            ])
            .args(["-accept", &ADDRESS.to_string()])
            .current_dir(self.copies.directory());
        for (flag, file) in [
            ("-cert", &pki.server.files.certificate),
            ("-key", &pki.server.files.key),
            ("-CAfile", &pki.client_ca.files.certificate),
        ] {
            command.arg(flag).arg(file);
        }
        command
    }

    /// Puts it under load.
    ///
    /// # Errors
    /// When some connection fails.
    pub fn ask(&self, server: &Server<'_>, load: Load) -> Result<Outcome> {
        let file = if load.bytes == 0 { LINE } else { BULK };
        let request = self.files.map(|_| format!("GET /{file} HTTP/1.0\r\n\r\n"));
        server.ask(load.connections, load.bytes, request.as_deref())
    }
}

/// What the laboratory's server is told.
fn plan<'a>(pki: &'a Pki, copies: &'a Copies) -> ServerPlan<'a> {
    ServerPlan {
        version: Some(VERSION),
        auth: ClientAuth::Required,
        ..ServerPlan::plain(ADDRESS, pki, copies.directory())
    }
}
