//! A program that calls functions with the names of OpenSSL's, in a library of its own that does nothing, with arguments
//! that make no sense, and without any TLS.

use std::ffi::{CStr, CString, c_void};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::rustls;

/// Rounds of calls.
pub const ROUNDS: u64 = 1000;
/// The calls of a round whose memory cannot be read.
pub const UNREADABLE: u64 = 3;
/// Those that tell of more bytes than a certificate can have.
pub const TOO_LONG: u64 = 3;

/// The `lookalike` subcommand of the `peer` binary.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// The library.
    #[arg(long)]
    library: PathBuf,
    /// A certificate, DER.
    #[arg(long)]
    certificate: PathBuf,
    /// Does it all on a thread that has received something from a TCP connection.
    #[arg(long)]
    connected: bool,
}

/// Compiles the library into a directory.
///
/// # Errors
/// Without a C compiler, which Rust needs too.
pub fn build(directory: &Path) -> Result<PathBuf> {
    const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/peers/lookalike.c");
    let library = directory.join("liblookalike.so");
    let mut command = Command::new("cc");
    command
        .args(["-shared", "-fPIC", "-O1", "-fno-omit-frame-pointer", "-o"])
        .arg(&library)
        .arg(SOURCE);
    let done = command.output().context("cc")?;
    ensure!(
        done.status.success(),
        "cc: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(library)
}

/// A command for this program.
///
/// # Errors
/// When the `peer` binary has not been built.
pub fn command(library: &Path, certificate: &Path, connected: bool) -> Result<Command> {
    let mut command = rustls::peer_command("lookalike")?;
    command
        .arg("--library")
        .arg(library)
        .arg("--certificate")
        .arg(certificate);
    if connected {
        command.arg("--connected");
    }
    Ok(command)
}

/// What the process does: says `ready`, waits for a line of input, calls, says `done`, and waits for the end of its input.
///
/// # Errors
/// When the library does not load.
pub fn run(flags: &Flags) -> Result<()> {
    let library = Library::load(&flags.library)?;
    let certificate = std::fs::read(&flags.certificate)?;
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let connection = flags.connected.then(connection).transpose()?;
    for _ in 0..ROUNDS {
        library.nonsense(&certificate)?;
    }
    println!("done");
    std::io::stdin().read_to_string(&mut line)?;
    drop(connection);
    Ok(())
}

/// A TCP connection on which something was received that is no TLS.
fn connection() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.write_all(b"no TLS at all\n")?;
    ensure!(server.read(&mut [0; 64])? > 0);
    Ok((client, server))
}

type Function = unsafe extern "C" fn(u64, u64, u64) -> i64;

struct Library(*mut c_void);

impl Library {
    fn load(path: &Path) -> Result<Self> {
        let name = CString::new(path.as_os_str().as_encoded_bytes())?;
        // SAFETY: a library of the tests' own, without constructors.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
        ensure!(!handle.is_null(), "{} does not load", path.display());
        Ok(Self(handle))
    }

    fn call(&self, name: &CStr, arguments: [u64; 3]) -> Result<()> {
        // SAFETY: the handle is open.
        let found = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if found.is_null() {
            bail!("no {}", name.to_string_lossy());
        }
        let [first, second, third] = arguments;
        // SAFETY: every function of the library ignores its arguments and gives a number.
        unsafe {
            let function: Function = std::mem::transmute(found);
            function(first, second, third);
        }
        Ok(())
    }

    /// One round: hostile arguments, and then the calls that OpenSSL makes for a client's certificate, all in order.
    fn nonsense(&self, certificate: &[u8]) -> Result<()> {
        const D2I: &CStr = c"d2i_X509";
        const NOWHERE: u64 = 0xdead_beef_0000;
        let at = |value: &u64| std::ptr::from_ref(value) as u64;
        let (certificate_at, length) = (certificate.as_ptr() as u64, certificate.len() as u64);
        // [`UNREADABLE`]: no pointer, a pointer to nowhere, and bytes that are nowhere.
        self.call(D2I, [0, 0, length])?;
        self.call(D2I, [0, NOWHERE, length])?;
        self.call(D2I, [0, at(&NOWHERE), length])?;
        // [`TOO_LONG`]: 100 KB, the largest number, a negative one.
        for length in [100_000, i64::MAX as u64, (-1_i64) as u64] {
            self.call(D2I, [0, at(&certificate_at), length])?;
        }
        self.call(D2I, [NOWHERE, at(&certificate_at), 0])?;
        self.call(c"X509_STORE_CTX_set_default", [1, NOWHERE, 0])?;
        self.call(c"ERR_vset_error", [20, u64::MAX, 0])?;

        let object = 0x1000_u64;
        self.call(D2I, [at(&object), at(&certificate_at), length])?;
        self.call(c"X509_STORE_CTX_init", [0x2000, 0, object])?;
        self.call(
            c"X509_STORE_CTX_set_default",
            [0x2000, c"ssl_client".as_ptr() as u64, 0],
        )?;
        self.call(c"X509_STORE_CTX_set_ex_data", [0x2000, 0, 0x3000])?;
        self.call(c"X509_verify_cert", [0x2000, 0, 0])?;
        self.call(c"X509_STORE_CTX_get_error", [0x2000, 0, 0])
    }
}
