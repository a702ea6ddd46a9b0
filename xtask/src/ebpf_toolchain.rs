//! Which toolchain builds the kernel half, and where its linker is: the one rule, shared by `cargo xtask setup`,
//! which makes it hold, and `observer/build.rs`, which includes this file and builds by it. Only `std` is used.
//!
//! The BPF target has no prebuilt `core`, so a toolchain serves only with the library's source at its side
//! (`-Z build-std=core`). In order of preference:
//!
//! 1. rustup's dated nightly [`NIGHTLY`] with the component `rust-src`;
//! 2. the distribution's stable rustc with its library source, known to rustup by the name [`DISTRO`]; it takes
//!    `-Z` flags under `RUSTC_BOOTSTRAP=1`;
//! 3. on a machine without rustup, the `rustc` in `PATH`, in the same way as 2.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The dated nightly, as rustup names it.
pub const NIGHTLY: &str = "nightly-2026-05-19";
/// The name under which the distribution's toolchain is linked into rustup.
pub const DISTRO: &str = "distro";
/// The linker's program and crate name.
pub const LINKER: &str = "bpf-linker";

/// A toolchain that can build `core` for the BPF target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// What `rustup run` calls it; without rustup it only tells people which one it is.
    pub name: &'static str,
    /// The sysroot: holds `bin/rustc` and the library source.
    pub root: PathBuf,
}

impl Toolchain {
    /// The file whose presence says that the library's source is there.
    pub fn library_source(&self) -> PathBuf {
        library_source(&self.root)
    }
}

/// The toolchain that the rule chooses on this machine, if it has one.
pub fn find_toolchain() -> Option<Toolchain> {
    let Some(installed) = rustup_toolchains() else {
        return distro_toolchain(Path::new(&first_line(
            Command::new("rustc").args(["--print", "sysroot"]),
        )?));
    };
    let root_of = |wanted: &str| {
        let dated = format!("{wanted}-");
        let (_, root) = installed
            .iter()
            .find(|(name, _)| name == wanted || name.starts_with(&dated))?;
        Some(root.clone())
    };
    root_of(NIGHTLY)
        .filter(|root| library_source(root).is_file())
        .map(|root| Toolchain { name: NIGHTLY, root })
        .or_else(|| distro_toolchain(&root_of(DISTRO)?))
}

/// The distribution's toolchain at `root`, if its source is there and it is new enough for this workspace.
pub fn distro_toolchain(root: &Path) -> Option<Toolchain> {
    if !library_source(root).is_file() {
        return None;
    }
    let version = first_line(Command::new(root.join("bin/rustc")).arg("--version"))?;
    let version = minor_version(version.strip_prefix("rustc ")?)?;
    (version >= minor_version(env!("CARGO_PKG_RUST_VERSION"))?).then(|| Toolchain {
        name: DISTRO,
        root: root.to_owned(),
    })
}

/// The linker's path: looked for in `PATH`, then where `cargo install` puts programs.
pub fn find_linker() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(cargo_bin())
        .map(|dir| dir.join(LINKER))
        .find(|file| file.is_file())
}

/// Whether rustup is there; it then decides which toolchain a plain `cargo` is.
pub fn has_rustup() -> bool {
    first_line(Command::new("rustup").arg("--version")).is_some()
}

/// The names and roots of rustup's toolchains; `None` without rustup.
fn rustup_toolchains() -> Option<Vec<(String, PathBuf)>> {
    let output = Command::new("rustup")
        .args(["toolchain", "list", "--verbose"])
        .output()
        .ok()?;
    Some(parse_toolchains(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads the lines `name (notes) /root` of `rustup toolchain list --verbose`.
fn parse_toolchains(list: &str) -> Vec<(String, PathBuf)> {
    list.lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once([' ', '\t'])?;
            Some((name.to_owned(), PathBuf::from(&rest[rest.find('/')?..])))
        })
        .collect()
}

fn library_source(root: &Path) -> PathBuf {
    root.join("lib/rustlib/src/rust/library/core/src/lib.rs")
}

/// Cargo's folder of installed programs.
fn cargo_bin() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| Some(env::home_dir()?.join(".cargo")))
        .map(|home| home.join("bin"))
}

/// The first line that a successful command prints.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

/// `1.96.0 (…)` as (1, 96).
fn minor_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|byte: char| !byte.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_toolchain_list_with_and_without_notes() {
        let list = "stable-x86_64 (active, default) /home/a b/stable\ndistro /usr\nnot a toolchain\n";
        let expected = [("stable-x86_64", "/home/a b/stable"), ("distro", "/usr")];
        assert_eq!(
            parse_toolchains(list),
            expected.map(|(name, root)| (name.to_owned(), PathBuf::from(root)))
        );
    }

    #[test]
    fn compares_versions_as_numbers() {
        assert_eq!(minor_version("1.96.0 (ac68faa20 2026-05-25)"), Some((1, 96)));
        assert!(minor_version("1.100.1") > minor_version("1.96"));
        assert_eq!(minor_version("nightly"), None);
    }

    #[test]
    fn a_root_without_library_source_is_no_toolchain() {
        assert_eq!(distro_toolchain(Path::new("/nonexistent")), None);
    }
}
