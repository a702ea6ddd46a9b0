//! The TLS libraries of real programs, found by their processes.

use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use observer_tests::poll::{self, PATIENCE};
use tls_observer::libraries::hooks::{Family, Role};
use tls_observer::libraries::identity::{Library, examine};
use tls_observer::libraries::processes::{Appeared, Filter, Scanner};

/// A program that waits for input; it is ended when this is dropped.
struct Waiting(Child);

impl Waiting {
    fn start(program: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().context(program.to_owned())?))
    }

    /// A scanner that looks at nothing else.
    fn scanner(&self) -> Scanner {
        let filter = Filter {
            pids: [self.0.id()].into(),
            ..Filter::default()
        };
        Scanner::new("/proc".into(), filter)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Scans until so many files with libraries have appeared: a program maps one after the other.
fn appeared(scanner: &mut Scanner, count: usize) -> Result<Vec<Appeared>> {
    let mut all = Vec::new();
    poll::until("libraries that appear", PATIENCE, || {
        let changes = scanner.scan()?;
        ensure!(
            changes.problems.is_empty() && changes.gone.is_empty(),
            "{changes:?}"
        );
        all.extend(changes.appeared);
        Ok((all.len() >= count).then_some(()))
    })?;
    Ok(all)
}

/// The libraries in files, each complete and of one family.
fn libraries(files: &[Appeared], family: Family) -> Result<Vec<&Library>> {
    let libraries: Vec<_> = files
        .iter()
        .flat_map(|file| &file.examination.libraries)
        .collect();
    let as_expected = |library: &&Library| library.family == family && library.is_complete();
    ensure!(libraries.iter().all(as_expected), "{libraries:?}");
    Ok(libraries)
}

#[test]
fn openssl_is_found_with_its_version_until_the_process_ends() -> Result<()> {
    let process = Waiting::start("openssl", &["enc", "-base64"])?;
    let mut scanner = process.scanner();
    let files = appeared(&mut scanner, 2)?;
    let libraries = libraries(&files, Family::OpenSsl)?;
    let parts: BTreeSet<_> = libraries.iter().map(|library| library.component.part).collect();
    ensure!(parts == ["libcrypto 3", "libssl 3"].into(), "{parts:?}");
    let said = String::from_utf8(Command::new("openssl").arg("version").output()?.stdout)?;
    let version = libraries.iter().find_map(|library| library.version.as_deref());
    ensure!(said.split(' ').nth(1) == version, "{said}: {version:?}");
    let offset = libraries.iter().find_map(|library| library.error_offset);
    ensure!(
        offset.is_some(),
        "where the error of a verification is kept was not read off the code"
    );

    drop(process);
    let gone: BTreeSet<_> = scanner.scan()?.gone.into_iter().collect();
    ensure!(gone == files.iter().map(|file| file.key).collect(), "{gone:?}");
    Ok(())
}

#[test]
fn gnutls_is_found() -> Result<()> {
    let process = Waiting::start("certtool", &["--certificate-info"])?;
    let files = appeared(&mut process.scanner(), 1)?;
    let libraries = libraries(&files, Family::GnuTls)?;
    ensure!(libraries.len() == 1 && libraries.iter().all(|library| library.missing.is_empty()));
    Ok(())
}

#[test]
fn rustls_is_found_in_a_program_with_symbols() -> Result<()> {
    let seen = examine(&File::open(env!("CARGO_BIN_EXE_peer"))?)?;
    let [library] = &seen.libraries[..] else {
        anyhow::bail!("{seen:?}")
    };
    ensure!(
        library.family == Family::RustlsRing && library.is_complete(),
        "{library:?}"
    );
    let has = |role| library.targets.iter().any(|target| target.hook.role == role);
    ensure!(has(Role::ClientChain) && has(Role::ServerChain), "{library:?}");
    Ok(())
}
