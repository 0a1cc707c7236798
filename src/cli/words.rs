//! What `-q` does and which formats there are, command by command: the flags are those of every command, the
//! words and the values are its own.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, Command, CommandFactory, ValueEnum as _};

use super::Cli;
use super::global::Format;

/// What a command does with `-q`, and the formats that it takes.
struct Own {
    command: &'static str,
    quiet: &'static str,
    formats: &'static [(Format, &'static str)],
}

/// Of most commands `-q` silences the log alone.
const LOG_ONLY: &str = "Log only errors; the result is printed all the same";

const HUMAN: (Format, &str) = (Format::Human, "Text for people: the default");
const JSON: (Format, &str) = (Format::Json, "JSON for programs");
const BOTH: &[(Format, &str)] = &[HUMAN, JSON];

/// Every command that has words of its own; `completions` and `man` take no format.
const OWN: [Own; 14] = [
    Own { command: "reconcile", quiet: "Print only what is new, log only errors", formats: BOTH },
    Own { command: "audit", quiet: LOG_ONLY, formats: BOTH },
    Own { command: "cutover", quiet: LOG_ONLY, formats: BOTH },
    Own { command: "grants", quiet: LOG_ONLY, formats: BOTH },
    Own { command: "history", quiet: LOG_ONLY, formats: BOTH },
    Own { command: "init", quiet: LOG_ONLY, formats: BOTH },
    Own { command: "doctor", quiet: "Leave out what is in order, log only errors", formats: BOTH },
    Own {
        command: "contract",
        quiet: LOG_ONLY,
        formats: &[
            (Format::Sql, "A CHECK constraint"),
            (Format::Typescript, "A TypeScript union"),
            (Format::Json, "JSON for programs"),
        ],
    },
    Own {
        command: "runs",
        quiet: "Print only what is new and what is to be looked at, log only errors",
        formats: BOTH,
    },
    Own { command: "waive", quiet: "Say nothing of what was accepted, log only errors", formats: BOTH },
    Own { command: "verify", quiet: "Leave out what holds, log only errors", formats: BOTH },
    Own {
        command: "simulate",
        quiet: LOG_ONLY,
        formats: &[
            (Format::Human, "Say what was made as text: the default; the tables are CSV"),
            (Format::Json, "Say what was made as JSON; the tables are CSV"),
            (Format::Csv, "The tables as CSV"),
            (Format::Parquet, "The tables as Parquet"),
            (Format::Sql, "The tables for psql"),
        ],
    },
    Own { command: "completions", quiet: LOG_ONLY, formats: &[] },
    Own { command: "man", quiet: LOG_ONLY, formats: &[] },
];

/// The command line with the words of each command.
pub fn command() -> Command {
    let whole = Cli::command();
    let global: Vec<Arg> = whole.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    OWN.iter().fold(whole, |whole, own| {
        let args = global.iter().map(|arg| own.worded(arg.clone()));
        whole.mut_subcommand(own.command, |command| command.args(args))
    })
}

impl Own {
    /// A global flag as this command has it.
    fn worded(&self, arg: Arg) -> Arg {
        match arg.get_id().as_str() {
            "quiet" => arg.help(self.quiet),
            "format" => self.format(arg),
            _ => arg,
        }
    }

    fn format(&self, arg: Arg) -> Arg {
        if self.formats.is_empty() {
            return arg.hide(true);
        }
        let value = |(format, help): &(Format, &'static str)| -> Option<PossibleValue> {
            format.to_possible_value().map(|value| value.help(*help))
        };
        let values = PossibleValuesParser::new(self.formats.iter().filter_map(value));
        let parser = values.try_map(|name| Format::from_str(&name, false));
        let help = match self.command {
            "contract" => "How the result is printed: it has to be said",
            "simulate" => "How the tables are written, or what was made is said [default: human]",
            _ => "How the result is printed [default: human]",
        };
        arg.value_parser(parser).help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_words_and_every_format_a_command() {
        let whole = Cli::command();
        let commands: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
        assert_eq!(OWN.each_ref().map(|own| own.command), commands[..], "in the order of the help");
        let taken = |format: &Format| OWN.iter().any(|own| own.formats.iter().any(|(own, _)| own == format));
        assert!(Format::value_variants().iter().all(taken));
        command().debug_assert();
    }

    #[test]
    fn help_lists_the_formats_that_a_command_takes_and_no_other() {
        let cases = [
            ("grants", "human json"),
            ("contract", "sql typescript json"),
            ("simulate", "human json csv parquet sql"),
        ];
        let mut whole = command();
        whole.build();
        for (name, expected) in cases {
            let found = whole.find_subcommand(name).unwrap();
            let format = found.get_arguments().find(|arg| arg.get_id() == "format").unwrap();
            let values = format.get_possible_values();
            let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            assert_eq!(values.join(" "), expected, "{name}");
        }
    }
}
