//! The `seamcheck` command.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use seamcheck::cli::Cli;
use seamcheck::contain::contained;
use seamcheck::error::Error;
use seamcheck::run::{FAILED, Stop, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As a shell says it of a program that a closed pipe ended.
const CUT_OFF: u8 = 141;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let colour = cli.scan.color.decide(io::stderr().is_terminal());
    // Folding would break options at their hyphens; terminals fold what is too long.
    let look = move || miette::MietteHandlerOpts::new().color(colour).wrap_lines(false).build();
    let _ = miette::set_hook(Box::new(move |_| Box::new(look())));
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout());
    let result =
        contained(|| run(&cli, &mut out, &mut io::stderr()).and_then(|code| Ok(out.flush().map(|()| code)?)));
    ExitCode::from(match result {
        Ok(Ok(code)) => code,
        // Whoever read the report has seen enough; what was found is not known, and must not pass for nothing.
        Ok(Err(Stop::Write(why))) if why.kind() == ErrorKind::BrokenPipe => CUT_OFF,
        Ok(Err(Stop::Write(why))) => {
            let what = format!("standard output cannot be written to: {}", seamcheck::walk::said(&why));
            fail(&Error::Config { what, help: "`-o FILE` writes the report to a file".to_owned() }.into())
        }
        Ok(Err(Stop::User(error))) => {
            if let Error::Vendors { reports } | Error::BrokenConfig { reports, .. } = &error {
                reports.iter().for_each(tell);
            }
            fail(&error.into())
        }
        Err(why) => {
            let what = format!("seamcheck failed: {why}");
            let help =
                format!("this is a bug of seamcheck; please report it at {}/issues", env!("CARGO_PKG_REPOSITORY"));
            fail(&Error::Config { what, help }.into())
        }
    })
}

fn tell(report: &miette::Report) {
    let _ = writeln!(io::stderr(), "{report:?}");
}

fn fail(report: &miette::Report) -> u8 {
    tell(report);
    FAILED
}
