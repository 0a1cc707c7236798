//! What goes to stdout and stderr, and with which exit code.

use std::fs::OpenOptions;
use std::process::Stdio;

use super::{code, reckon, root, run, stderr, stdout};

#[test]
fn usage_errors_are_2_and_help_is_0() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32); 12] = [
        (&[], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["reconcile", "--help"], 0),
        (&["reconsile"], 2),
        (&["history"], 2),
        (&["reconcile", "--as-of", "yesterday"], 2),
        (&["reconcile", "--fail-on", "some"], 2),
        (&["reconcile", "--threads", "0"], 2),
        (&["contract"], 2),
        (&["grants", "--format", "sql"], 2),
        (&["grants", "-q", "-v"], 2),
    ];
    for (args, expected) in cases {
        let output = run(folder.path(), args);
        assert_eq!(code(&output), expected, "{args:?}");
        let is_result = expected == 0;
        assert_eq!(!output.stdout.is_empty(), is_result, "{args:?}: results alone go to stdout");
        assert_eq!(output.stderr.is_empty(), is_result, "{args:?}");
    }
}

#[test]
fn a_missing_configuration_is_2_and_says_where_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 2] = [
        (&["contract", "--format", "json"], "reckon.toml"),
        (&["--config", "other.toml", "contract", "--format", "json"], "other.toml"),
    ];
    for (args, file) in cases {
        let output = run(folder.path(), args);
        assert_eq!(code(&output), 2);
        let expected = format!(
            "reckon: there is no configuration {file}: write one with `reckon init`, or name another with --config or RECKON_CONFIG\n"
        );
        assert_eq!(stderr(&output), expected);
    }
    std::fs::write(folder.path().join("latin.toml"), b"# \xe9\n").unwrap();
    let output = run(folder.path(), &["contract", "--format", "json", "--config", "latin.toml"]);
    assert_eq!(
        (code(&output), stderr(&output).as_str()),
        (2, "reckon: latin.toml:1:3: the byte 0xE9 here is not UTF-8: save the file as UTF-8\n")
    );
}

#[test]
fn missing_sections_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (
            "",
            "reckon.toml:1:1: there is no section [legacy]: say in it where the old table is and what its columns are called",
        ),
        (
            "[legacy]\n",
            "reckon.toml:1:1: there is no section [unified]: say in it where the new table is and what its columns are called",
        ),
    ];
    for (text, expected) in cases {
        std::fs::write(folder.path().join("reckon.toml"), text).unwrap();
        let output = run(folder.path(), &["contract", "--format", "json"]);
        assert_eq!((code(&output), stderr(&output)), (2, format!("reckon: {expected}\n")));
    }
}

#[test]
fn the_configuration_is_the_flag_then_the_folder_then_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../errors/every_key.toml");
    let named = |grant: &str| text.replacen("\"admin_grant\", ", &format!("\"{grant}\", "), 1);
    let write = |file: &str, grant: &str| std::fs::write(folder.path().join(file), named(grant)).unwrap();
    write("flag.toml", "by_flag_grant");
    write("environment.toml", "by_environment_grant");
    let used = |flag: bool| {
        let mut command = reckon(folder.path());
        command.env("RECKON_CONFIG", "environment.toml").args(["contract", "--format", "json"]);
        if flag {
            command.args(["--config", "flag.toml"]);
        }
        stdout(&command.output().unwrap())
    };
    assert!(used(false).contains("by_environment_grant"));
    write("reckon.toml", "by_folder_grant");
    assert!(used(false).contains("by_folder_grant"));
    assert!(used(true).contains("by_flag_grant"));
}

#[test]
fn a_reader_that_goes_away_is_2_in_silence_and_a_full_disk_with_a_sentence() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let cases = [
        (Stdio::from(writer), ""),
        (Stdio::from(full), "reckon: cannot write the result to stdout: No space left on device"),
    ];
    for (out, expected) in cases {
        let output = reckon(&root()).arg("man").stdout(out).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
        assert_eq!(stderr(&output).is_empty(), expected.is_empty(), "{}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"));
    }
}

#[test]
fn completions_and_manual_name_every_command() {
    let commands = ["reconcile", "grants", "history", "init", "doctor", "contract", "completions", "man"];
    let mut texts = vec![stdout(&run(&root(), &["man"]))];
    for shell in ["bash", "zsh", "fish"] {
        texts.push(stdout(&run(&root(), &["completions", shell])));
    }
    for text in &texts {
        for command in commands {
            assert!(text.contains(command), "{command} in {}", &text[..80]);
        }
    }
}

#[test]
fn the_manual_has_the_flags_of_every_command_and_names_no_other_page() {
    let page = stdout(&run(&root(), &["man"])).replace('\\', "");
    for (command, flag) in [
        ("RECONCILE", "--fail-on"),
        ("AUDIT", "--previous"),
        ("GRANTS", "--by"),
        ("HISTORY", "--lots"),
        ("WAIVE", "--until"),
        ("SIMULATE", "--defects"),
    ] {
        let section = page.split_once(&format!(".SH \"RECKON {command}\"")).unwrap().1;
        let section = section.split("\n.SH ").next().unwrap();
        assert!(section.contains(flag), "{flag} of {command}: {section}");
    }
    assert!(!page.contains("reckon-"), "no page of a command alone");
    assert_eq!(page.matches(".TH ").count(), 1);
}

#[test]
fn help_says_of_each_command_what_it_takes_and_what_quiet_does() {
    for (command, formats, quiet) in [
        ("grants", "[possible values: human, json]", "the result is printed all the same"),
        ("contract", "[possible values: sql, typescript, json]", "Log only errors"),
        ("doctor", "[possible values: human, json]", "Leave out what is in order"),
        ("reconcile", "[possible values: human, json]", "Print only what is new"),
    ] {
        let help = stdout(&run(&root(), &[command, "-h"]));
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(formats) && help.contains(quiet), "{help}");
    }
    let folder = tempfile::tempdir().unwrap();
    for args in
        [["grants", "--format", "sql"], ["--format", "sql", "grants"], ["--format", "csv", "contract"]]
    {
        let output = run(folder.path(), &args);
        assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{args:?}");
    }
    // The flags are read before the command and after it.
    for args in [["--format", "json", "contract"], ["contract", "--format", "json"]] {
        assert!(stderr(&run(folder.path(), &args)).contains("there is no configuration"), "{args:?}");
    }
}

#[test]
fn an_answer_has_no_colours_unless_a_terminal_reads_it() {
    for args in [&["--help"][..], &["nonsense"]] {
        let output = run(&root(), args);
        assert!(!stdout(&output).contains('\x1b') && !stderr(&output).contains('\x1b'), "{args:?}");
    }
}
