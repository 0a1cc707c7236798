//! `reckon man`: the manual page of the program, with every command and its flags, as roff.

use std::io;

use clap::Command;
use clap_mangen::Man;

use super::{Global, out, words};

/// Flags of `reckon man`: none of its own.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Flags that every command takes with the same words: told once, at the head of the page.
const TOLD_ONCE: [&str; 4] = ["config", "verbose", "no_progress", "help"];

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(_args: &Args, _global: &Global) -> anyhow::Result<u8> {
    let page = page()?;
    out::with(|out| out.write_all(&page))?;
    Ok(0)
}

/// One page: there is none of a command alone, so that nobody has to look for it.
fn page() -> io::Result<Vec<u8>> {
    let mut whole = words::command().disable_help_subcommand(true);
    whole.build();
    let mut page = Vec::new();
    let man = Man::new(whole.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for command in whole.get_subcommands() {
        of_command(command, &mut page)?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// A command as a section, its parts as sections of that.
fn of_command(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let shown =
        TOLD_ONCE.iter().fold(command.clone(), |command, id| command.mut_arg(id, |arg| arg.hide(true)));
    let man = Man::new(shown);
    let mut parts = Vec::new();
    man.render_description_section(&mut parts)?;
    man.render_synopsis_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    if command.get_after_long_help().is_some() {
        man.render_extra_section(&mut parts)?;
    }
    page.extend(format!(".SH \"RECKON {}\"\n", command.get_name().to_uppercase()).bytes());
    for line in String::from_utf8_lossy(&parts).lines() {
        // Each part begins with the preamble of a page of its own.
        let line = match line.strip_prefix(".SH ") {
            Some("DESCRIPTION") => continue,
            Some("EXTRA") => ".SS NOTES".to_owned(),
            Some(heading) => format!(".SS {heading}"),
            None => line.to_owned(),
        };
        page.extend(line.bytes());
        page.push(b'\n');
    }
    Ok(())
}
