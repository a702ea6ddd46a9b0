//! `cargo xtask kernels`: the agent on other kernels, in virtual machines.
//!
//! Each machine is emulated in software (no KVM, no network, no disk) and lives for less than a minute. It is Debian's
//! kernel with an initial RAM disk that has the agent, a TLS server and three clients in it.

mod image;
mod initrd;
mod transcript;

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::build::{self, Profile};
use crate::{packages, process, setup};
use image::Image;
use transcript::Transcript;

const QEMU: &str = "qemu-system-x86_64";
/// What makes and runs the machine: program and Debian package.
const PROGRAMS: [(&str, &str); 5] = [
    (QEMU, "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("openssl", "openssl"),
    ("tc", "iproute2"),
];
/// Several times what a machine takes on an idle host.
const TIME_LIMIT: Duration = Duration::from_secs(300);
const KERNEL_COMMAND_LINE: &str = "console=ttyS0 panic=-1 quiet mitigations=off";

/// Which kernels.
#[derive(clap::Args)]
pub struct Options {
    /// Debian's kernel packages, or metapackages that depend on one, as apt-cache search linux-image lists them
    #[arg(default_value = "linux-image-cloud-amd64", value_name = "PACKAGE")]
    packages: Vec<String>,
}

/// The verb; fails if any expectation on any kernel does.
pub fn run(options: &Options) -> Result<ExitCode> {
    if !cfg!(target_arch = "x86_64") || !packages::is_debian() {
        bail!("it takes x86-64 machines and Debian's kernel packages");
    }
    provide_programs()?;
    setup::run(&setup::Options::default())?;
    let agent = build::agent(Profile::Release)?;
    let directory = process::workspace().join("target/kernels");
    let (mut passed, mut failed) = (0, 0);
    for package in &options.packages {
        let image = image::provide(package, &directory)?;
        let transcript = boot(&image, &agent, &directory)?;
        let (good, bad) = tell(package, &transcript);
        passed += good;
        failed += bad;
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn provide_programs() -> Result<()> {
    let missing = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !process::has_program(program));
    let missing: Vec<_> = missing.map(|(_, package)| package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !process::is_root() {
        bail!("as root: {}", packages::command_line(&missing));
    }
    packages::install(&missing)
}

/// Runs a machine to its end, or to the limit; what it told.
fn boot(image: &Image, agent: &Path, directory: &Path) -> Result<Transcript> {
    let initrd = initrd::build(agent, &image.modules, directory)?;
    let console = directory.join("console");
    let mut machine = Command::new(QEMU)
        .args(["-M", "q35", "-cpu", "max", "-m", "1024", "-smp", "2"])
        .args(["-nographic", "-no-reboot", "-nic", "none"])
        .arg("-kernel")
        .arg(&image.kernel)
        .arg("-initrd")
        .arg(initrd)
        .args(["-append", KERNEL_COMMAND_LINE])
        .stdin(Stdio::null())
        .stdout(File::create(&console)?)
        .spawn()?;
    let start = Instant::now();
    while machine.try_wait()?.is_none() {
        if start.elapsed() > TIME_LIMIT {
            machine.kill()?;
            machine.wait()?;
        }
        thread::sleep(Duration::from_millis(200));
    }
    eprintln!(
        "{} ran for {} s; its console is in {}",
        image.kernel.display(),
        start.elapsed().as_secs(),
        console.display()
    );
    // The firmware's part need not be text.
    Ok(Transcript::read(&String::from_utf8_lossy(&std::fs::read(
        &console,
    )?)))
}

/// Prints how it went; how many expectations were met and how many not.
fn tell(package: &str, transcript: &Transcript) -> (usize, usize) {
    println!("Linux {}", transcript.kernel().unwrap_or(package));
    for fallback in transcript.fallbacks() {
        println!("  fallback  {fallback}");
    }
    let checks = transcript.checks();
    for check in &checks {
        match &check.failure {
            None => println!("  ok        {}", check.name),
            Some(failure) => println!("  FAILED    {}: {failure}", check.name),
        }
    }
    let failed = checks.iter().filter(|check| check.failure.is_some()).count();
    if failed > 0 {
        for line in transcript.log() {
            println!("  log       {line}");
        }
    }
    (checks.len() - failed, failed)
}
