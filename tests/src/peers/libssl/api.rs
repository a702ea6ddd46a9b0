//! OpenSSL's libraries from a directory, and the functions of them that the server calls.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::path::Path;

use anyhow::{Context, Result, bail};

type Pointer = *mut c_void;

/// The functions, by what they are for.
pub struct Api {
    pub server_method: unsafe extern "C" fn() -> Pointer,
    pub ctx_new: unsafe extern "C" fn(Pointer) -> Pointer,
    pub ctx_ctrl: unsafe extern "C" fn(Pointer, c_int, c_long, Pointer) -> c_long,
    pub use_chain: unsafe extern "C" fn(Pointer, *const c_char) -> c_int,
    pub use_key: unsafe extern "C" fn(Pointer, *const c_char, c_int) -> c_int,
    pub load_ca: unsafe extern "C" fn(Pointer, *const c_char, *const c_char) -> c_int,
    pub set_verify: unsafe extern "C" fn(Pointer, c_int, extern "C" fn(c_int, Pointer) -> c_int),
    pub new: unsafe extern "C" fn(Pointer) -> Pointer,
    pub set_fd: unsafe extern "C" fn(Pointer, c_int) -> c_int,
    pub accept: unsafe extern "C" fn(Pointer) -> c_int,
    pub read: unsafe extern "C" fn(Pointer, Pointer, c_int) -> c_int,
    pub write: unsafe extern "C" fn(Pointer, *const c_void, c_int) -> c_int,
    pub shutdown: unsafe extern "C" fn(Pointer) -> c_int,
    pub free: unsafe extern "C" fn(Pointer),
}

/// A loaded `libssl`; it stays loaded.
pub struct Library {
    libssl: Pointer,
}

impl Library {
    /// Loads both libraries of a directory; `apart`, into a namespace of their own, where they do not meet those that
    /// are loaded already.
    ///
    /// # Errors
    /// When one is missing or does not load.
    pub fn load(directory: &Path, apart: bool) -> Result<Self> {
        let find = |name: &str| -> Result<CString> {
            for entry in std::fs::read_dir(directory)? {
                let path = entry?.path();
                let file = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                if file.starts_with(name) {
                    return Ok(CString::new(path.as_os_str().as_encoded_bytes())?);
                }
            }
            bail!("no {name} in {}", directory.display())
        };
        let (libcrypto, libssl) = (find("libcrypto.so")?, find("libssl.so")?);
        let namespace = if apart {
            libc::LM_ID_NEWLM
        } else {
            libc::LM_ID_BASE
        };
        let first = open(namespace, &libcrypto)?;
        let mut namespace = libc::LM_ID_BASE;
        if apart {
            // SAFETY: the handle is open, and the request writes one namespace id.
            let answer = unsafe { libc::dlinfo(first, libc::RTLD_DI_LMID, (&raw mut namespace).cast()) };
            if answer != 0 {
                bail!("dlinfo: {}", error());
            }
        }
        // It needs the other by its soname, and finds it loaded.
        Ok(Self {
            libssl: open(namespace, &libssl)?,
        })
    }

    fn symbol(&self, name: &CStr) -> Result<Pointer> {
        // SAFETY: the handle is open.
        let found = unsafe { libc::dlsym(self.libssl, name.as_ptr()) };
        (!found.is_null())
            .then_some(found)
            .with_context(|| format!("no {}", name.to_string_lossy()))
    }

    /// The functions.
    ///
    /// # Errors
    /// When one is missing.
    #[allow(
        clippy::missing_transmute_annotations,
        reason = "the field that it goes to says the type"
    )]
    pub fn api(&self) -> Result<Api> {
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: OpenSSL declares the function of this name with the type of the field that it goes to.
                unsafe { std::mem::transmute(self.symbol($name)?) }
            };
        }
        Ok(Api {
            server_method: function!(c"TLS_server_method"),
            ctx_new: function!(c"SSL_CTX_new"),
            ctx_ctrl: function!(c"SSL_CTX_ctrl"),
            use_chain: function!(c"SSL_CTX_use_certificate_chain_file"),
            use_key: function!(c"SSL_CTX_use_PrivateKey_file"),
            load_ca: function!(c"SSL_CTX_load_verify_locations"),
            set_verify: function!(c"SSL_CTX_set_verify"),
            new: function!(c"SSL_new"),
            set_fd: function!(c"SSL_set_fd"),
            accept: function!(c"SSL_accept"),
            read: function!(c"SSL_read"),
            write: function!(c"SSL_write"),
            shutdown: function!(c"SSL_shutdown"),
            free: function!(c"SSL_free"),
        })
    }
}

fn open(namespace: libc::Lmid_t, path: &CStr) -> Result<Pointer> {
    // SAFETY: loading runs the library's constructors: OpenSSL's, or those of a library made for these tests.
    let handle = unsafe { libc::dlmopen(namespace, path.as_ptr(), libc::RTLD_NOW) };
    if handle.is_null() {
        bail!("{}: {}", path.to_string_lossy(), error());
    }
    Ok(handle)
}

fn error() -> String {
    // SAFETY: gives null, or a string that lives until the next call of its kind on this thread.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            return "no reason given".into();
        }
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}
