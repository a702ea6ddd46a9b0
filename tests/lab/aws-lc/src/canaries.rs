//! Application data that looks like what the observer copies, through every function that it probes: `canaries CHAIN KEY CA
//! MARK`. Both ends are here. Nothing is sent before a line comes on standard input; the secrets of all connections are
//! printed at the end, as hexadecimal.

mod padding;

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use observer_tests::pki::SERVER_NAME;
use rustls::crypto::{CryptoProvider, aws_lc_rs::default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig, ServerConnection, Stream,
    SupportedCipherSuite, SupportedProtocolVersion, version,
};

/// Lengths around those at which something changes: records, messages, the length's second byte.
const LENGTHS: [usize; 18] = [
    8, 9, 16, 17, 31, 64, 100, 255, 256, 257, 1000, 4096, 15_999, 16_000, 16_383, 16_384, 16_385, 40_000,
];
/// What a record of another type would end with, without and with padding.
const ENDS: [&[u8]; 7] = [&[], &[21], &[22], &[23], &[22, 0, 0, 0], &[21, 0], &[0; 40]];
/// What a record of another type would begin with: an alert, and a Certificate, an EncryptedExtensions and a
/// NewSessionTicket of which all that follows would be the body.
const BEGINNINGS: [&[u8]; 5] = [&[], &[2, 40], &[11, 0, 0, 90], &[8, 0, 0, 90], &[4, 0, 0, 90]];

/// Runs it.
pub fn run(arguments: &[String]) -> Result<()> {
    let [chain, key, ca, mark] = arguments else {
        return Err(anyhow!("canaries CHAIN KEY CA MARK"));
    };
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_file_iter(ca)? {
        roots.add(ca?)?;
    }
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;

    let secrets = Arc::new(Secrets::default());
    let mut connections = 0;
    for (provider, versions) in providers() {
        let provider = Arc::new(provider);
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[versions])?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key.clone_key())?;
        server.max_early_data_size = 16_000;
        server.max_fragment_size = Some(16_000);
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[versions])?
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        client.enable_early_data = true;
        client.max_fragment_size = Some(16_000);
        client.key_log = Arc::clone(&secrets) as Arc<dyn KeyLog>;
        let (server, client) = (Arc::new(server), Arc::new(client));
        // The second one resumes the first one's session, and has early data.
        for early in [false, true] {
            let is_accepted = converse(&server, &client, mark.as_bytes())?;
            ensure!(
                is_accepted == (early && versions.version == rustls::ProtocolVersion::TLSv1_3),
                "early data: {is_accepted}"
            );
            connections += 1;
        }
    }
    seal_otherwise(mark.as_bytes())?;
    println!("{connections} connections");
    for secret in secrets.0.lock().map_err(|_| anyhow!("a thread panicked"))?.iter() {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("secret {hex}");
    }
    Ok(())
}

/// Each cipher suite alone, and those of TLS 1.3 with padding too.
fn providers() -> Vec<(CryptoProvider, &'static SupportedProtocolVersion)> {
    let alone = |suite| CryptoProvider {
        cipher_suites: vec![suite],
        ..default_provider()
    };
    let mut providers = Vec::new();
    for suite in default_provider().cipher_suites {
        match suite {
            SupportedCipherSuite::Tls13(tls13) => {
                providers.push((alone(suite), &version::TLS13));
                for bytes in [1, 3, 32, 33, 300] {
                    providers.push((alone(padding::padded(tls13, bytes)), &version::TLS13));
                }
            }
            // Those with RSA keys are the same for the probed functions; the key is of an elliptic curve.
            _ if format!("{suite:?}").contains("ECDSA") => providers.push((alone(suite), &version::TLS12)),
            _ => {}
        }
    }
    providers
}

/// What is sent, one after the other.
fn payloads(mark: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    LENGTHS.into_iter().flat_map(move |length| {
        ENDS.into_iter().flat_map(move |end| {
            BEGINNINGS.into_iter().map(move |beginning| {
                let marks = mark.iter().copied().cycle().take(length);
                beginning
                    .iter()
                    .copied()
                    .chain(marks)
                    .chain(end.iter().copied())
                    .collect()
            })
        })
    })
}

/// One connection, on which the server sends back all that it gets. Tells whether early data were accepted.
fn converse(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>, mark: &[u8]) -> Result<bool> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Arc::clone(server);
    let serving = thread::Builder::new()
        .name("server".into())
        .spawn(move || echo(&listener, server))?;
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_nodelay(true)?;
    let mut connection = ClientConnection::new(Arc::clone(client), ServerName::try_from(SERVER_NAME)?)?;
    let early = [mark, &[22][..]].concat();
    let early = match connection.early_data() {
        Some(mut data) => {
            data.write_all(&early)?;
            early
        }
        None => Vec::new(),
    };
    let mut tls = Stream::new(&mut connection, &mut tcp);
    let mut back = vec![0; early.len()];
    tls.flush()?;
    tls.read_exact(&mut back)?;
    ensure!(back == early, "the early data came back otherwise");
    for payload in payloads(mark) {
        tls.write_all(&payload)?;
        let mut back = vec![0; payload.len()];
        tls.read_exact(&mut back)?;
        ensure!(back == payload, "a payload came back otherwise");
    }
    tls.conn.send_close_notify();
    tls.flush()?;
    let is_accepted = tls.conn.is_early_data_accepted();
    serving.join().map_err(|_| anyhow!("the server panicked"))??;
    Ok(is_accepted)
}

fn echo(listener: &TcpListener, config: Arc<ServerConfig>) -> Result<()> {
    let (mut tcp, _) = listener.accept()?;
    tcp.set_nodelay(true)?;
    let mut connection = ServerConnection::new(config)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    let mut early = Vec::new();
    if let Some(mut data) = connection.early_data() {
        data.read_to_end(&mut early)?;
    }
    let mut tls = Stream::new(&mut connection, &mut tcp);
    tls.write_all(&early)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match tls.read(&mut buffer).context("a request")? {
            0 => return Ok(()),
            length => tls.write_all(&buffer[..length])?,
        }
    }
}

/// Uses the AEAD for something else than TLS, with additional data that are not far from those of TLS.
fn seal_otherwise(mark: &[u8]) -> Result<()> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| anyhow!("no key"))?);
    let record = [&mark.repeat(4)[..], &[22]].concat();
    let sealed = u8::try_from(record.len() + AES_128_GCM.tag_len())?;
    for additional in [
        &[][..],
        &[0x17, 3, 3],
        &[0x17, 3, 3, 0, sealed - 1],
        &[0x17, 3, 4, 0, sealed],
        &[0x47, 3, 3, 0, sealed],
        &[0, 0, 0, 0, 0, 0, 0, 1, 22, 3, 3, 0, sealed - 16],
        &[0, 0, 0, 0, 0, 0, 0, 1, 23, 3, 3, 0, sealed - 16],
        &[0, 0, 0, 0, 0, 0, 0, 1, 21, 3, 3, 0, sealed - 16],
        &[7; 40],
    ] {
        let nonce = || Nonce::assume_unique_for_key([9; 12]);
        let mut bytes = record.clone();
        key.seal_in_place_append_tag(nonce(), Aad::from(additional), &mut bytes)
            .map_err(|_| anyhow!("not sealed"))?;
        let opened = key
            .open_in_place(nonce(), Aad::from(additional), &mut bytes)
            .map_err(|_| anyhow!("not opened"))?;
        ensure!(*opened == record, "it was opened otherwise");
    }
    Ok(())
}

/// Keeps what keys are made of.
#[derive(Debug, Default)]
struct Secrets(Mutex<Vec<Vec<u8>>>);

impl KeyLog for Secrets {
    fn log(&self, _: &str, _: &[u8], secret: &[u8]) {
        if let Ok(mut secrets) = self.0.lock() {
            secrets.push(secret.to_vec());
        }
    }
}
