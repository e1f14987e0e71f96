//! Output of `cargo xtask`: progress and failures on stderr, results on stdout.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "this is the one place where a command line tool prints"
)]

/// Announces the next step.
pub fn step(what: &str) {
    eprintln!("==> {what}");
}

/// Announces what will be missing, so that it is not overlooked.
pub fn warning(what: &str) {
    eprintln!("!!! {what}");
}

/// Prints a result.
pub fn print(text: &str) {
    println!("{text}");
}

/// Prints why the task failed, with each cause on its own line.
pub fn failure(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
}
