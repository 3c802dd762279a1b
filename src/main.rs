//! The `domainflow` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    match domainflow::cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            // One line, whatever the causes have to say.
            let chain = format!("{:#}", anyhow::Error::from(error));
            let line: Vec<&str> = chain.split_whitespace().collect();
            eprintln!("error: {}", line.join(" "));
            ExitCode::from(code)
        }
    }
}
