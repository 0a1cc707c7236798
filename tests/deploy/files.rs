//! The shipped files name only commands, flags, keys, files and tables that exist, and agree with each
//! other.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use super::{root, said, shipped};

/// Where a command line begins in these files: the program, or the image that starts it.
const PROGRAMS: [&str; 3] = ["reckon", "/usr/local/bin/reckon", "localhost/reckon"];

/// Where the shell takes over again.
const ENDS: [&str; 8] = ["|", "||", "&&", ";", ">", ">>", "2>&1", "#"];

fn reckon(args: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reckon"))
        .args(args)
        .env_remove("RECKON_CONFIG")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap()
}

/// Is this a command line that the program takes? `--help` keeps it from being carried out.
fn is_understood(args: &[String]) -> Result<(), String> {
    let mut args = args.to_vec();
    args.push("--help".to_owned());
    let output = reckon(&args);
    if output.status.success() { Ok(()) } else { Err(format!("{args:?}: {}", said(&output))) }
}

/// The arguments of a line of shell that starts the program: its name stands where a command begins,
/// not where a user, group, service or image of that name is an argument.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let begins = |at: usize| match at.checked_sub(1).map(|before| words[before]) {
        None => true,
        Some(before) => before.ends_with(';') || ["exec", "&&"].contains(&before),
    };
    let at = (0..words.len()).find(|at| PROGRAMS.contains(&words[*at]) && begins(*at))?;
    let mut args = Vec::new();
    for word in words[at + 1..].iter().take_while(|word| !ENDS.contains(word)) {
        args.push(word.trim_end_matches([';', '\'']).to_owned());
        if word.ends_with(';') {
            break;
        }
    }
    Some(args)
}

/// Lines of a unit or crontab that are carried out.
fn carried_out(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with('#'))
}

/// The lines of a document's shell blocks.
fn shell(document: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in document.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(kind) => inside = !inside && kind == "sh",
            None if inside && !line.trim_start().starts_with('#') => lines.push(line),
            None => {}
        }
    }
    lines
}

/// `args: [...]` of a Kubernetes object.
fn args_of(object: &str) -> Vec<Vec<String>> {
    let lists = carried_out(object).filter_map(|line| line.trim_start().strip_prefix("args: "));
    lists.map(|list| serde_json::from_str(list).unwrap_or_else(|cause| panic!("{list}: {cause}"))).collect()
}

#[test]
fn every_command_line_is_one_that_the_program_takes() {
    let units: Vec<Vec<String>> = carried_out(&shipped("systemd/reckon.service"))
        .filter(|line| line.starts_with("Exec"))
        .filter_map(|line| arguments(line.split_once('=')?.1))
        .collect();
    let crontab: Vec<Vec<String>> = carried_out(&shipped("cron/reckon.cron"))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
        .filter_map(|line| arguments(line.split_once("exec ")?.1))
        .collect();
    let object = args_of(&shipped("kubernetes/cronjob.yaml"));
    let document = shipped("README.md");
    let read: Vec<Vec<String>> = shell(&document).into_iter().filter_map(arguments).collect();
    for (name, found, least) in
        [("unit", &units, 1), ("crontab", &crontab, 1), ("cronjob", &object, 1), ("README", &read, 6)]
    {
        assert!(found.len() >= least, "{name}: {found:?}");
        for args in found {
            assert!(!args.is_empty(), "{name}: a command");
            is_understood(args).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    for night in [&units[0], &crontab[0], &object[0]] {
        assert_eq!(night[0], "reconcile");
        let has = |words: &[&str]| night.windows(words.len()).any(|window| window == words);
        assert!(has(&["--config", "/etc/reckon/reckon.toml"]) && has(&["--fail-on", "new"]), "{night:?}");
    }
}

#[test]
fn the_judge_of_command_lines_sees_what_is_wrong() {
    for line in [
        "reckon reconcil",
        "reckon reconcile --failon new",
        "reckon reconcile --fail-on never",
        "reckon doctor --out x",
    ] {
        assert!(is_understood(&arguments(line).unwrap()).is_err(), "{line}");
    }
    let lines = [
        ("umask 027; exec reckon reconcile --fail-on new -q; echo $?", Some("reconcile --fail-on new -q")),
        ("sudo -u reckon sh -c '. /etc/reckon/environment; reckon doctor -v'", Some("doctor -v")),
        ("  localhost/reckon doctor", Some("doctor")),
        ("podman build -t localhost/reckon .", None),
        ("sudo systemctl start reckon", None),
    ];
    for (line, expected) in lines {
        assert_eq!(arguments(line).map(|args| args.join(" ")).as_deref(), expected, "{line}");
    }
}

#[test]
fn the_example_configuration_is_accepted_and_fits_the_role() {
    let file = root().join("deploy/reckon.toml");
    let config = reckon::config::load(&file).unwrap();
    let args = ["contract", "--format", "json", "--config", file.to_str().unwrap()];
    let output = reckon(&args.map(str::to_owned));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let text = shipped("reckon.toml");
    let values = |key: &str| -> BTreeSet<String> {
        let parts = text.split(key).skip(1).filter_map(|rest| rest.split('"').nth(1));
        parts.map(str::to_owned).collect()
    };
    let role = shipped("role.sql");
    let list = role.split("array[").nth(1).unwrap().split("];").next().unwrap();
    let listed: BTreeSet<String> = list.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(listed, values("table = "), "role.sql lists the tables of reckon.toml");
    let sessions = role.split("sessions constant int := ").nth(1).unwrap().split(';').next().unwrap();
    assert!(sessions.parse::<usize>().unwrap() > config.postgres.streams, "a run opens one more");

    assert!(config.history.folder.starts_with("/var/lib/reckon"));
    assert!(config.audit.folder.starts_with("/var/lib/reckon"));
    let notify = config.notify.expect("somebody is told");
    let Some(reckon::config::Webhook::Variable(variable)) = notify.webhook else { panic!("a variable") };
    assert!(shipped("environment").contains(&format!("\n{variable}='")), "the environment has {variable}");
    assert!(shipped("kubernetes/cronjob.yaml").contains("secretRef"), "the secret gives every variable");
    assert!(shipped("README.md").contains(&format!("--from-literal={variable}=")));
}

#[test]
fn places_are_the_same_in_every_file() {
    let unit = shipped("systemd/reckon.service");
    for line in [
        "StateDirectory=reckon",
        "WorkingDirectory=/var/lib/reckon",
        "EnvironmentFile=/etc/reckon/environment",
    ] {
        assert!(carried_out(&unit).any(|found| found == line), "{line}");
    }
    assert!(shipped("systemd/reckon.timer").contains("Unit=reckon.service"));
    let failed = unit.lines().find_map(|line| line.strip_prefix("OnFailure=")).unwrap();
    assert!(root().join("deploy/systemd").join(failed).exists(), "{failed}");
    assert!(shipped("cron/reckon.cron").contains(". /etc/reckon/environment;"));

    let (image, object) = (shipped("container/Containerfile"), shipped("kubernetes/cronjob.yaml"));
    assert!(object.contains("mountPath: /etc/reckon\n") && object.contains("mountPath: /var/lib/reckon\n"));
    assert!(
        image.contains("VOLUME /var/lib/reckon") && image.contains("RECKON_CONFIG=/etc/reckon/reckon.toml")
    );
    let user = image.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let (user, group) = user.split_once(':').unwrap();
    for line in
        [format!("runAsUser: {user}\n"), format!("runAsGroup: {group}\n"), format!("fsGroup: {group}\n")]
    {
        assert!(object.contains(&line), "{line}");
    }
    assert_ne!(user.parse::<u32>().unwrap(), 0);
}

#[test]
fn no_secret_stands_where_everybody_can_read_it() {
    for name in [
        "systemd/reckon.service",
        "cron/reckon.cron",
        "container/Containerfile",
        "kubernetes/cronjob.yaml",
        "reckon.toml",
    ] {
        let text = shipped(name);
        for word in ["postgres://", "hooks.example.com", "PGPASSWORD"] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
    for name in ["role.sql", "role_drop.sql", "role_check.sql"] {
        let statements: String = shipped(name).lines().filter(|line| !line.starts_with("--")).collect();
        assert!(!statements.contains("password") && !statements.contains('\\'), "{name}");
    }
}

#[test]
fn every_file_is_named_in_the_guide() {
    let guide = shipped("README.md");
    for folder in ["", "systemd", "cron", "container", "kubernetes"] {
        for entry in std::fs::read_dir(root().join("deploy").join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && name != "README.md" {
                assert!(guide.contains(&name), "{folder}/{name}");
            }
        }
    }
}
