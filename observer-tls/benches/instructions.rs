//! Runs a case as often as asked, and nothing else, for a tool that counts the instructions of a process:
//!
//!     instructions           # the cases, one a line: name, then bytes that one run reads
//!     instructions NAME 10   # the case, ten times
//!
//! `cargo xtask bench instructions` takes the difference of two counts, so that start-up does not count.
#![allow(missing_docs, reason = "a program of its own")]

mod cases;

use std::process::ExitCode;

fn main() -> ExitCode {
    // `cargo test` and `cargo bench` add flags of their own.
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let cases = cases::all();
    let [name, times] = arguments.as_slice() else {
        cases
            .iter()
            .for_each(|case| println!("{} {}", case.name, case.bytes));
        return ExitCode::SUCCESS;
    };
    let case = cases.iter().find(|case| case.name == name);
    let (Some(case), Ok(times)) = (case, times.parse::<u32>()) else {
        eprintln!("no such case, or no number: {name} {times}");
        return ExitCode::FAILURE;
    };
    (0..times).for_each(|_| (case.run)());
    ExitCode::SUCCESS
}
