//! What the virtual machine runs: programs with their libraries, modules, certificates and the init script, in an initial
//! RAM disk.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;

const INIT: &str = include_str!("init.sh");
/// The programs that the init script runs, besides the agent.
const PROGRAMS: [&str; 3] = ["busybox", "openssl", "tc"];
/// What a clsact qdisc with a filter needs, where it is not built in.
const MODULES: [&str; 2] = ["sch_ingress", "cls_bpf"];
/// Directories that something is mounted on, or written to.
const DIRECTORIES: [&str; 6] = ["bin", "dev", "proc", "root", "sys", "tmp"];
/// Where programs are looked for besides `PATH`.
const ROOT_BIN: [&str; 2] = ["/usr/sbin", "/sbin"];
const OPENSSL_CONFIG: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
[end]
basicConstraints = CA:FALSE
";

/// Builds the disk in `directory`; its path.
pub fn build(agent: &Path, modules: &Path, directory: &Path) -> Result<PathBuf> {
    let root = directory.join("root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    for name in DIRECTORIES {
        fs::create_dir_all(root.join(name))?;
    }
    for name in PROGRAMS {
        add_program(&find_program(name)?, name, &root)?;
    }
    add_program(agent, "tls-observer", &root)?;
    if process::has_program("strip") {
        // Debug information would fill the machine's memory.
        process::run(Command::new("strip").arg(root.join("bin/tls-observer")))?;
    }
    for name in MODULES {
        add_module(name, modules, &root)?;
    }
    make_certificates(&root.join("root"))?;
    let init = root.join("init");
    fs::write(&init, INIT)?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
    pack(&root, &directory.join("initrd"))
}

fn find_program(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(ROOT_BIN.map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not there"))
}

/// Copies a program, and the libraries that it is linked with to where it looks for them.
fn add_program(program: &Path, name: &str, root: &Path) -> Result<()> {
    fs::copy(program, root.join("bin").join(name)).with_context(|| program.display().to_string())?;
    let path = program.to_str().context("a path that is not UTF-8")?;
    // It fails for a static program, which needs none.
    for library in libraries(&process::output_of("ldd", &[path]).unwrap_or_default()) {
        let inside = root.join(library.trim_start_matches('/'));
        if let Some(parent) = inside.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(library, inside).with_context(|| library.to_owned())?;
    }
    Ok(())
}

/// The paths in what ldd prints.
fn libraries(listing: &str) -> impl Iterator<Item = &str> {
    listing
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
}

/// Copies a module if there is one of this name: else it is built in, or the agent will say what is missing.
fn add_module(name: &str, modules: &Path, root: &Path) -> Result<()> {
    let plain = modules.join(format!("kernel/net/sched/{name}.ko"));
    let compressed = plain.with_extension("ko.xz");
    let inside = root.join("root").join(format!("{name}.ko"));
    if plain.is_file() {
        fs::copy(plain, inside)?;
    } else if compressed.is_file() {
        let output = Command::new("xz")
            .args(["--decompress", "--stdout"])
            .arg(compressed)
            .output()
            .context("xz")?;
        if !output.status.success() {
            bail!("xz: {}", String::from_utf8_lossy(&output.stderr));
        }
        fs::write(inside, output.stdout)?;
    }
    Ok(())
}

/// An authority, and a server and a client certificate of it.
fn make_certificates(directory: &Path) -> Result<()> {
    fs::write(directory.join("openssl.cnf"), OPENSSL_CONFIG)?;
    let issue = |name: &str, extensions: &str, issuer: &[&str]| {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-config", "openssl.cnf", "-newkey", "ec"])
            .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"])
            .args(["-subj", &subject, "-extensions", extensions])
            .args(["-keyout", &key, "-out", &certificate])
            .args(issuer)
            .current_dir(directory);
        let output = command.output().context("openssl")?;
        if !output.status.success() {
            bail!("openssl req: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    issue("ca", "authority", &[])?;
    for name in ["server", "client"] {
        issue(name, "end", &["-CA", "ca.pem", "-CAkey", "ca.key"])?;
    }
    Ok(())
}

/// Packs a directory in the form that the kernel unpacks, all of it owned by root.
fn pack(root: &Path, archive: &Path) -> Result<PathBuf> {
    process::run(
        Command::new("sh")
            .arg("-c")
            .arg(r#"find . -print0 | cpio --quiet --null --create --format=newc --owner=0:0 > "$1""#)
            .arg("sh")
            .arg(archive)
            .current_dir(root),
    )?;
    Ok(archive.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_found() {
        let listing = "\tlinux-vdso.so.1 (0x7f)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f)\n\
                       \t/lib64/ld-linux-x86-64.so.2 (0x7f)\n";
        let found: Vec<_> = libraries(listing).collect();
        assert_eq!(
            found,
            ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]
        );
        assert_eq!(libraries("\tnot a dynamic executable\n").count(), 0);
    }
}
