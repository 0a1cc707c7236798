//! `docs/audit.md`: its commands are run as they stand there, in a pack, by a shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::pack::{audit, ended};
use super::world::{World, days};

/// The blocks of the document.
fn blocks() -> Vec<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md");
    let text = fs::read_to_string(document).unwrap();
    text.split("```sh\n").skip(1).map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// What each block says in a pack, and whether it is content.
fn performed(pack: &Path, before: Option<&Path>) -> Vec<(bool, String)> {
    performed_with(pack, before, None)
}

/// The same where `awk` is another one, first on the path.
fn performed_with(pack: &Path, before: Option<&Path>, awk: Option<&Path>) -> Vec<(bool, String)> {
    let shell = |block: &String| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(block).current_dir(pack).env_remove("before");
        if let Some(awk) = awk {
            let rest = std::env::var("PATH").unwrap();
            command.env("PATH", format!("{}:{rest}", awk.display()));
        }
        if let Some(before) = before {
            command.env("before", before);
        }
        let output = command.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success() && said.starts_with("ok"), said)
    };
    blocks().iter().map(shell).collect()
}

/// Beginnings of ids that a table of text, a shell or a spreadsheet might take for something else.
const BEGINNINGS: [&str; 12] =
    ["a\"b", "\"", "\t", "\r", "＝", "－", "=1,", "'=", "'-5", "-", "a, b\"\"", "\\n%s $(x)"];

/// A folder with nothing but `awk` in it, for each kind of it that is here.
fn awks(folder: &Path) -> Vec<PathBuf> {
    let path = std::env::var("PATH").unwrap();
    let kinds = ["mawk", "gawk", "original-awk", "busybox"].into_iter().filter_map(|kind| {
        let program = path.split(':').map(|place| Path::new(place).join(kind)).find(|file| file.exists())?;
        let place = folder.join(kind);
        fs::create_dir(&place).unwrap();
        std::os::unix::fs::symlink(program, place.join("awk")).unwrap();
        Some(place)
    });
    kinds.collect()
}

/// Two chained months of a world that changes its past; the pack of the second, and of the first.
fn packs(folder: &Path) -> [PathBuf; 2] {
    packs_with(folder, "6", 1)
}

/// With a sample of another size, and rows of so many times their tokens.
fn packs_with(folder: &Path, sample: &str, times: i64) -> [PathBuf; 2] {
    let mut world = World::new(8, true);
    for (number, row) in world.rows.iter_mut().enumerate() {
        row.tokens *= times;
        row.id = format!("{}{number}", BEGINNINGS[number % BEGINNINGS.len()]);
    }
    let month = |month: usize| {
        world.write(folder, month, "");
        let (from, to) = days(month);
        let (code, stderr) = ended(&audit(folder, &["--from", &from, "--to", &to, "--sample", sample]));
        assert!(code < 2, "{stderr}");
        folder.join("packs").join(format!("{from}_{to}"))
    };
    [6, 7].map(month)
}

#[test]
fn an_auditor_can_perform_everything_again_with_a_shell() {
    assert!(blocks().len() >= 9, "the document has its commands");
    for sample in ["0", "6", "25", "1000"] {
        let folder = tempfile::tempdir().unwrap();
        let [before, pack] = packs_with(folder.path(), sample, 1);
        for (at, (content, said)) in performed(&pack, Some(&before)).into_iter().enumerate() {
            assert!(content, "block {at} of docs/audit.md says for {sample}:\n{said}\n{}", blocks()[at]);
        }
        let adjustments = fs::read_to_string(pack.join("adjustments.csv")).unwrap();
        assert!(adjustments.lines().count() > 1, "there is something to add up");
    }
}

/// A thousand million tokens a row: more than 32 bits hold, less than what `awk` counts exactly.
const LARGE: i64 = 1_000_000_007;

#[test]
fn large_totals_are_performed_again_with_every_kind_of_awk() {
    let folder = tempfile::tempdir().unwrap();
    let [before, pack] = packs_with(folder.path(), "6", LARGE);
    let kinds = awks(folder.path());
    for awk in kinds.iter().map(|kind| Some(kind.as_path())).chain([None]) {
        for (at, (content, said)) in performed_with(&pack, Some(&before), awk).into_iter().enumerate() {
            assert!(content, "block {at} of docs/audit.md says with {awk:?}:\n{said}\n{}", blocks()[at]);
        }
        for file in ["balances.csv", "rows.csv", "sample.csv"] {
            let path = pack.join(file);
            let whole = fs::read_to_string(&path).unwrap();
            fs::write(&path, altered(file, &whole)).unwrap();
            let answers = performed_with(&pack, Some(&before), awk);
            fs::write(&path, whole).unwrap();
            assert!(answers[1..].iter().any(|(content, _)| !content), "{file}: one token with {awk:?}");
        }
    }
}

#[test]
fn what_was_altered_is_noticed_by_its_digest_and_by_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let [before, pack] = packs(folder.path());
    for file in ["roll_forward.csv", "balances.csv", "rows.csv", "usage.csv", "adjustments.csv", "sample.csv"]
    {
        let path = pack.join(file);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, altered(file, &whole)).unwrap();
        let answers = performed(&pack, Some(&before));
        fs::write(&path, whole).unwrap();
        assert!(!answers[0].0, "{file}: the digest does not fit");
        assert!(answers[1..].iter().any(|(content, _)| !content), "{file}: nor do the figures");
    }
    assert!(performed(&pack, Some(&before)).iter().all(|(content, _)| *content), "restored");
}

#[test]
fn reckon_verify_adds_a_pack_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let [_, pack] = packs(folder.path());
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
        let output = command.arg("verify").arg(&pack).current_dir(folder.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = verify();
    assert_eq!(code, 0, "{said}");
    for check in ["files", "chain", "contents", "roll_forward", "balances", "movements", "adjustments"] {
        assert!(said.lines().any(|line| line.contains("ok") && line.contains(check)), "{check}: {said}");
    }
    for (file, check) in [
        ("roll_forward.csv", "roll_forward"),
        ("balances.csv", "balances"),
        ("rows.csv", "movements"),
        ("usage.csv", "movements"),
        ("adjustments.csv", "adjustments"),
    ] {
        let path = pack.join(file);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, altered(file, &whole)).unwrap();
        let (code, said) = verify();
        fs::write(&path, whole).unwrap();
        assert_eq!(code, 1, "{file}: {said}");
        assert!(said.lines().any(|line| line.contains("FAIL") && line.contains(check)), "{file}: {said}");
    }
}

/// The file with one token more in a row that counts.
fn altered(file: &str, text: &str) -> String {
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let wanted = match file {
        "roll_forward.csv" => "tokens",
        "balances.csv" => "closing",
        "adjustments.csv" | "rows.csv" => "effect",
        "sample.csv" => "hit_token",
        _ => "tokens",
    };
    let from_end = header.len() - header.iter().position(|name| *name == wanted).unwrap();
    let mut done = false;
    let lines = text.lines().enumerate().map(|(at, line)| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        let place = cells.len().wrapping_sub(from_end);
        let counts = match file {
            "rows.csv" => line.starts_with("unified,grant,yes"),
            "usage.csv" => line.starts_with("2024-08") && cells[1] == "no",
            "adjustments.csv" => cells[1] == "unified",
            "sample.csv" => line.contains("monetary_unit"),
            _ => true,
        };
        let number = cells.get(place).and_then(|cell| cell.parse::<i64>().ok());
        if let (false, true, true, Some(number)) = (done, at > 0, counts, number) {
            cells[place] = (number + 1).to_string();
            done = true;
        }
        cells.join(",")
    });
    let lines: Vec<String> = lines.collect();
    assert!(done, "{file} has a row to alter");
    lines.join("\n") + "\n"
}
