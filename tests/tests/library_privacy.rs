//! What library probes copy: certificates, results and alerts, and neither application data nor keys.
//!
//! Everything that comes out of the kernel's rings is written to a file, while each library is server and client, and is
//! searched for eight bytes in a row of what was said over TLS, of private keys, and of the secrets of the sessions.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use observer_tests::agent::{Agent, Attach};
use observer_tests::lab::peer::REQUEST;
use observer_tests::lab::run::{Extent, Laboratory, Probed, Selection};
use observer_tests::lab::stacks::REPLY;
use observer_tests::leaks::Leaks;
use observer_tests::pki::Leaf;
use observer_tests::probed;
use observer_tests::process::Process;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// Every library, also those that are probed only when they are named.
const ALL_LIBRARIES: &str = "openssl,gnutls,go,aws-lc,rustls";

#[test]
#[ignore = "needs root"]
fn library_probes_copy_neither_application_data_nor_keys() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (dump, key_log) = (directory.path().join("ring"), directory.path().join("keys"));
    let mut laboratory = Laboratory::new()?;
    laboratory.key_log = Some(key_log.clone());
    let flags = [&["--libraries", ALL_LIBRARIES], &probed::FLAGS[..]].concat();
    let agent = Agent::start_dumping(Attach::Cgroup(&laboratory.cgroup), &flags, &dump)?;
    let wait = |stack: &str, process: &Process, patience| {
        if stack != "boringssl" {
            probed::wait_for(&agent, process.pid(), patience);
        }
    };
    let selection = |case: &str| Selection {
        extent: Extent::Libraries,
        case: Some(case.to_owned()),
        ..Selection::default()
    };
    for case in ["accepted with certificate", "resumes with certificate"] {
        let outcome = laboratory.run(&selection(case), Some(&wait as &Probed<'_>));
        ensure!(
            !outcome.meetings.is_empty(),
            "nothing ran: {:#?}",
            outcome.problems
        );
    }
    // Of these clients the keys are known that TLS 1.3 resumes by, and the servers read them out of the tickets.
    let resumed = Selection {
        extent: Extent::Whole,
        stack: Some("openssl".to_owned()),
        ..selection("resumes with certificate")
    };
    laboratory.run(&resumed, Some(&wait as &Probed<'_>));
    let (_, metrics) = agent.get("/metrics")?;
    let ended = agent.stop()?;
    let by_libraries = ended
        .events
        .iter()
        .filter(|event| event["handshake"]["source"] == "both")
        .count();
    println!("{by_libraries} of {} events by libraries too", ended.events.len());
    ensure!(by_libraries > 0, "no library told anything");

    let by_sessions = ended.events.iter().filter(|event| {
        let told = &event["handshake"];
        let mut libraries = told["libraries"].as_array().into_iter().flatten();
        event["tls"]["version"] == "1.3"
            && told["certificate_source"] == "resumption"
            && libraries.any(|library| library["name"] == "openssl")
    });
    let by_sessions = by_sessions.count();
    println!("{by_sessions} clients of TLS 1.3 by the sessions that OpenSSL read");
    ensure!(by_sessions > 0, "no session was read");

    let leaks = Leaks::read(&dump)?;
    let pki = &laboratory.materials.pki;
    let on_wire = ended
        .events
        .iter()
        .filter(|event| event["tls"]["version"] == "1.2")
        .count();
    assert!(
        leaks.count(&pki.good.files.der) > on_wire,
        "the dump must hold what libraries tell beside the wire"
    );
    // The tool that answers with the lines turned round, too.
    let said = [REQUEST.trim_end(), REPLY].map(|text| text.as_bytes().to_vec());
    let reversed = said.clone().map(|mut text| {
        text.reverse();
        text
    });
    leaks.assert_free_of(&[said, reversed].concat(), "application data");
    let keys = [&pki.good, &pki.server].map(private_key);
    leaks.assert_free_of(&keys.into_iter().collect::<Result<Vec<_>>>()?, "private keys");
    leaks.assert_free_of(&session_secrets(&key_log)?, "secrets of sessions");
    let sessions = laboratory.sessions();
    let keys = sessions.iter().map(|file| key_of_session(file));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    println!("{} keys of sessions", keys.len());
    leaks.assert_free_of(&keys, "keys of sessions");
    let text = format!("{}{metrics}{}", ended.log, ended.stdout.join("\n"));
    for line in [REQUEST.trim_end(), REPLY.trim_end()] {
        assert!(
            !text.contains(line),
            "{line:?} is in the log, the metrics or an event"
        );
    }
    Ok(())
}

/// The secret scalar of a P-256 key (RFC 5915, section 3: the octet string that follows the version).
fn private_key(leaf: &Leaf) -> Result<Vec<u8>> {
    let key = PrivateKeyDer::from_pem_file(&leaf.files.key).context("a key")?;
    let der = key.secret_der();
    let at = der
        .windows(5)
        .position(|window| window == [2, 1, 1, 4, 32])
        .context("no P-256 key")?;
    der.get(at + 5..at + 37)
        .map(<[u8]>::to_vec)
        .context("a short key")
}

/// The secrets in a log of the form that NSS began: `LABEL CLIENT_RANDOM SECRET`.
fn session_secrets(log: &Path) -> Result<Vec<Vec<u8>>> {
    let text = std::fs::read_to_string(log).context("the log of keys")?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let secret = |line: &str| {
        let hex = line.rsplit(' ').next().unwrap_or_default();
        data_encoding::HEXLOWER_PERMISSIVE
            .decode(hex.as_bytes())
            .with_context(|| line.to_owned())
    };
    let secrets: Vec<_> = lines.map(secret).collect::<Result<_>>()?;
    println!("{} secrets of sessions", secrets.len());
    Ok(secrets)
}

/// The master secret of TLS 1.2, or the key by which TLS 1.3 resumes, in a session of OpenSSL's: the fifth field, behind two
/// versions, the cipher and the id.
fn key_of_session(file: &Path) -> Result<Vec<u8>> {
    let pem = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = data_encoding::BASE64.decode(lines.collect::<String>().as_bytes())?;
    // A sequence longer than 255 bytes, of shorter fields.
    let mut rest = der.strip_prefix(&[0x30, 0x82]).and_then(|rest| rest.get(2..));
    let mut field = || {
        let (header, behind) = rest?.split_at_checked(2)?;
        let (contents, behind) = behind.split_at_checked(header[1].into())?;
        rest = Some(behind);
        Some(contents.to_vec())
    };
    let key = (0..5)
        .map(|_| field())
        .last()
        .flatten()
        .context("a short session")?;
    ensure!(key.len() >= 32, "a key of {} bytes", key.len());
    Ok(key)
}
