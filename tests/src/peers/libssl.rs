//! A server on copies of OpenSSL's libraries that it loads by their paths, so that one process can have two of them, and
//! that does in the midst of a handshake what a server should not: it is killed, becomes another program, or divides.
//!
//! It sends back what it gets.

mod api;

use std::ffi::{CString, c_int, c_void};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};

use self::api::{Api, Library};
use super::rustls;
use crate::copies::Copies;
use crate::pki::Pki;

/// Who serves a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Worker {
    /// The thread that accepts, one connection after the other.
    Here,
    /// A thread of its own.
    Thread,
    /// A process of its own, a copy of this one.
    Fork,
}

/// What happens while the library verifies the first client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mishap {
    /// The process is killed.
    Kill,
    /// It becomes another program: itself, without a mishap.
    Exec,
    /// It divides, and the child goes on with the handshake.
    Fork,
}

/// The `libssl-server` subcommand of the `peer` binary.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// Address to listen on.
    #[arg(long)]
    pub listen: SocketAddr,
    /// The directory of the libraries.
    #[arg(long)]
    pub libraries: PathBuf,
    /// Also listens there, with other copies of the libraries.
    #[arg(long, requires = "second_libraries")]
    pub second_listen: Option<SocketAddr>,
    /// The directory of those.
    #[arg(long)]
    pub second_libraries: Option<PathBuf>,
    /// Certificate chain, PEM.
    #[arg(long)]
    pub cert: PathBuf,
    /// Key, PEM.
    #[arg(long)]
    pub key: PathBuf,
    /// The CA of clients, PEM.
    #[arg(long)]
    pub client_ca: PathBuf,
    /// Who serves a connection.
    #[arg(long, value_enum, default_value = "thread")]
    pub worker: Worker,
    /// What happens in the midst of the first handshake.
    #[arg(long, value_enum)]
    pub mishap: Option<Mishap>,
}

/// A command for this server. Further [`Flags`] may be appended.
///
/// # Errors
/// When the `peer` binary has not been built.
pub fn server(pki: &Pki, address: SocketAddr, libraries: &Copies, worker: Worker) -> Result<Command> {
    let mut command = rustls::peer("libssl-server", address)?;
    command.arg("--libraries").arg(libraries.directory());
    for (flag, file) in [
        ("--cert", &pki.server.files.certificate),
        ("--key", &pki.server.files.key),
        ("--client-ca", &pki.client_ca.files.certificate),
    ] {
        command.arg(flag).arg(file);
    }
    let worker = match worker {
        Worker::Here => "here",
        Worker::Thread => "thread",
        Worker::Fork => "fork",
    };
    command.args(["--worker", worker]);
    Ok(command)
}

/// What the server process does, until it is killed.
///
/// # Errors
/// Libraries or files that do not load, or no address.
pub fn run(flags: &Flags) -> Result<()> {
    if let Some(mishap) = flags.mishap {
        MISHAP.get_or_init(|| mishap);
    }
    let context = context(flags, &flags.libraries, false)?;
    if let (Some(address), Some(libraries)) = (flags.second_listen, &flags.second_libraries) {
        let (context, worker) = (self::context(flags, libraries, true)?, flags.worker);
        let listener = TcpListener::bind(address).context("listen")?;
        std::thread::spawn(move || serve(&listener, context, worker));
    }
    serve(
        &TcpListener::bind(flags.listen).context("listen")?,
        context,
        flags.worker,
    )
}

fn context(flags: &Flags, libraries: &Path, apart: bool) -> Result<&'static Context13> {
    let library = Library::load(libraries, apart)?;
    // It lives as long as the process.
    Ok(Box::leak(Box::new(Context13::new(flags, library)?)))
}

fn serve(listener: &TcpListener, context: &'static Context13, worker: Worker) -> Result<()> {
    for stream in listener.incoming() {
        let stream = stream.context("accept")?;
        match worker {
            Worker::Here => context.echo(&stream),
            Worker::Thread => drop(std::thread::spawn(move || context.echo(&stream))),
            Worker::Fork => fork_and(|| context.echo(&stream))?,
        }
    }
    Ok(())
}

/// Does something in a copy of this process, and waits for its end.
fn fork_and(work: impl FnOnce()) -> Result<()> {
    // SAFETY: this process has one thread when it forks, so the child may do anything.
    let child = unsafe { libc::fork() };
    ensure!(child >= 0, "fork: {}", std::io::Error::last_os_error());
    if child == 0 {
        work();
        std::process::exit(0);
    }
    // SAFETY: a child of ours, and no place for its status.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Ok(())
}

/// A server's configuration for TLS 1.3 with client certificates.
struct Context13 {
    api: Api,
    context: *mut c_void,
    _library: Library,
}

// SAFETY: OpenSSL locks what connections share of an `SSL_CTX`, which is not changed once it is made.
unsafe impl Sync for Context13 {}

impl Context13 {
    fn new(flags: &Flags, library: Library) -> Result<Self> {
        /// `SSL_FILETYPE_PEM`, `SSL_CTRL_SET_MIN_PROTO_VERSION`, `TLS1_3_VERSION`.
        const PEM: c_int = 1;
        const LEAST_VERSION: c_int = 123;
        const TLS13: i64 = 0x304;
        /// `SSL_VERIFY_PEER` and `SSL_VERIFY_FAIL_IF_NO_PEER_CERT`.
        const REQUIRED: c_int = 1 | 2;
        let api = library.api()?;
        let text = |path: &Path| CString::new(path.as_os_str().as_encoded_bytes());
        let (cert, key, ca) = (text(&flags.cert)?, text(&flags.key)?, text(&flags.client_ca)?);
        // SAFETY: the functions are OpenSSL's, called as its manual says; the strings live until they return.
        unsafe {
            let context = (api.ctx_new)((api.server_method)());
            ensure!(!context.is_null(), "SSL_CTX_new");
            (api.ctx_ctrl)(context, LEAST_VERSION, TLS13, std::ptr::null_mut());
            ensure!((api.use_chain)(context, cert.as_ptr()) == 1, "certificate");
            ensure!((api.use_key)(context, key.as_ptr(), PEM) == 1, "key");
            ensure!((api.load_ca)(context, ca.as_ptr(), std::ptr::null()) == 1, "CA");
            (api.set_verify)(context, REQUIRED, verified);
            Ok(Self {
                api,
                context,
                _library: library,
            })
        }
    }

    /// One connection: handshake, then everything back until the client closes.
    fn echo(&self, stream: &TcpStream) {
        let api = &self.api;
        let mut buffer = [0_u8; 16 * 1024];
        // SAFETY: as above; the socket and the buffer outlive the calls.
        unsafe {
            let ssl = (api.new)(self.context);
            (api.set_fd)(ssl, stream.as_raw_fd());
            if (api.accept)(ssl) == 1 {
                loop {
                    let got = (api.read)(ssl, buffer.as_mut_ptr().cast(), buffer.len() as c_int);
                    if got <= 0 || (api.write)(ssl, buffer.as_ptr().cast(), got) != got {
                        break;
                    }
                }
                (api.shutdown)(ssl);
            }
            (api.free)(ssl);
        }
    }
}

static MISHAP: OnceLock<Mishap> = OnceLock::new();

/// Called by the library while it verifies a client's certificate, for each certificate of the chain.
extern "C" fn verified(good: c_int, _context: *mut c_void) -> c_int {
    static HAPPENED: AtomicBool = AtomicBool::new(false);
    if let Some(mishap) = MISHAP.get()
        && !HAPPENED.swap(true, Ordering::Relaxed)
    {
        happen(*mishap);
    }
    good
}

fn happen(mishap: Mishap) {
    match mishap {
        // SAFETY: a signal to this process.
        Mishap::Kill => drop(unsafe { libc::raise(libc::SIGKILL) }),
        Mishap::Exec => {
            // The last argument pair is the mishap.
            let arguments: Vec<_> = std::env::args_os().collect();
            let kept = arguments
                .get(1..arguments.len().saturating_sub(2))
                .unwrap_or_default();
            let error = Command::new("/proc/self/exe").args(kept).exec();
            eprintln!("exec: {error}");
        }
        Mishap::Fork => {
            // SAFETY: the process has one thread, which has the one connection; the parent does nothing but wait.
            let child = unsafe { libc::fork() };
            if child > 0 {
                // SAFETY: a child of ours, and no place for its status.
                unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
                std::process::exit(0);
            }
        }
    }
}
