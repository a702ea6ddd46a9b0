//! Builds the kernel half, `observer-ebpf`, and leaves its two objects in `OUT_DIR` for the agent to embed: the probes on the
//! wire, and those in libraries.
//!
//! With the objects there, `cfg(kernel_object)` is set. Without the tools to build it the agent still compiles, and
//! says at run time that it has no kernel object in it; `cargo xtask setup` installs the tools.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aya_build::Package;

// Setup needs more of it than the build does.
#[allow(dead_code)]
#[path = "../xtask/src/ebpf_toolchain.rs"]
mod ebpf_toolchain;

use ebpf_toolchain::{DISTRO, LINKER, NIGHTLY, Toolchain};

const PACKAGE: &str = "observer-ebpf";
/// Set to `1`, this leaves the kernel half out.
const NO_EBPF: &str = "TLS_OBSERVER_NO_EBPF";
const REMEDY: &str = "the agent gets no kernel object; remedy: cargo xtask setup";

fn main() -> Result<()> {
    println!("cargo:rustc-check-cfg=cfg(kernel_object)");
    println!("cargo:rerun-if-env-changed={NO_EBPF}");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../xtask/src/ebpf_toolchain.rs");
    if env::var_os(NO_EBPF).is_some_and(|value| value == "1") {
        return Ok(());
    }
    let Some(toolchain) = ebpf_toolchain::find_toolchain() else {
        println!(
            "cargo:warning=no toolchain for eBPF ({NIGHTLY} with rust-src, or the distribution's): {REMEDY}"
        );
        return Ok(());
    };
    let Some(linker) = ebpf_toolchain::find_linker() else {
        println!("cargo:warning={LINKER} is not installed: {REMEDY}");
        return Ok(());
    };
    build(&toolchain, &linker)?;
    println!("cargo:rustc-cfg=kernel_object");
    Ok(())
}

/// Runs the nested build. aya-build gives it a target directory of its own below `OUT_DIR`, so that it does not wait
/// for the lock that the outer build holds.
fn build(toolchain: &Toolchain, linker: &Path) -> Result<()> {
    let workspace =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set")?)
            .parent()
            .context("the agent's crate has no parent directory")?
            .to_owned();
    // aya-build watches the package itself; these are the rest of what goes into the object.
    for input in ["observer-common/src", "observer-common/Cargo.toml", "Cargo.toml"] {
        println!("cargo:rerun-if-changed={}", workspace.join(input).display());
    }
    println!("cargo:rerun-if-changed={}", linker.display());
    println!("cargo:rerun-if-changed={}", toolchain.library_source().display());

    set_for_nested_build("PATH", path_with(linker)?);
    // Its progress would come out as warnings of the agent, again at each build. Errors are still shown.
    set_for_nested_build("CARGO_TERM_QUIET", "true");
    // bpf-linker optimises the whole program by itself; the workspace's thin LTO before it would be done twice.
    set_for_nested_build("CARGO_PROFILE_RELEASE_LTO", "off");
    // In pieces, as incremental builds are, the functions are not inlined that must be: the stack is too small then.
    set_for_nested_build("CARGO_INCREMENTAL", "0");
    if toolchain.name == DISTRO {
        // A stable compiler, and `-Z build-std` is asked of it.
        set_for_nested_build("RUSTC_BOOTSTRAP", "1");
    }
    let root = workspace.join(PACKAGE);
    let package = Package {
        name: PACKAGE,
        root_dir: root.to_str().context("the path of the workspace is not UTF-8")?,
        ..Package::default()
    };
    aya_build::build_ebpf([package], aya_build::Toolchain::Custom(toolchain.name))
        .with_context(|| format!("{PACKAGE} with the toolchain {}", toolchain.name))
}

/// `PATH` with the linker's directory in it, where rustc looks for it by name.
fn path_with(linker: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let linker_dir = linker.parent().map(Path::to_owned);
    env::join_paths(env::split_paths(&path).chain(linker_dir)).context("PATH")
}

fn set_for_nested_build(name: &str, value: impl AsRef<std::ffi::OsStr>) {
    // SAFETY: this build script has one thread until aya-build starts its own, after the last call of this.
    unsafe { env::set_var(name, value) }
}
