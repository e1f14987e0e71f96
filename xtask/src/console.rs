//! What `cargo xtask` says: progress and failures on stderr, results on stdout.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "this is the one place where a command line tool prints"
)]

/// Announces what begins now.
pub fn step(what: &str) {
    eprintln!("==> {what}");
}

/// Prints a result.
pub fn print(text: &str) {
    println!("{text}");
}

/// Prints why the task failed, with every cause on a line of its own.
pub fn failure(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
}
