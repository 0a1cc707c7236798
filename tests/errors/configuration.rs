//! Runs the blocks of `configuration.txt`.

use std::path::Path;
use std::process::Command;

const BLOCKS: &str = "tests/errors/configuration.txt";
const EVERY_KEY: &str = include_str!("every_key.toml");

/// One block: its lines up to the command, and the answer below it.
struct Block {
    question: String,
    answer: String,
}

fn blocks(text: &str) -> (String, Vec<Block>) {
    let mut parts = text.split("\n## ");
    let preface = parts.next().unwrap().to_owned();
    let blocks = parts.map(|part| {
        let command = part.find("\n$ ").expect("a command in every block");
        let end = part[command + 1..].find('\n').map_or(part.len(), |at| command + 1 + at + 1);
        Block { question: part[..end].to_owned(), answer: part[end..].trim_end().to_owned() }
    });
    (preface, blocks.collect())
}

/// The configuration with the block's changes.
fn changed(question: &str) -> String {
    let taken: Vec<&str> =
        question.lines().filter_map(|line| line.strip_prefix("- ").or(line.strip_prefix('-'))).collect();
    let put: Vec<&str> = question.lines().filter_map(|line| line.strip_prefix("+ ")).collect();
    let taken = format!("{}\n", taken.join("\n"));
    let put = if put.is_empty() { String::new() } else { format!("{}\n", put.join("\n")) };
    assert_eq!(EVERY_KEY.matches(&taken).count(), 1, "{question}: the lines must stand there once");
    EVERY_KEY.replacen(&taken, &put, 1)
}

/// stderr of the command, and its exit code.
fn answer(folder: &Path, question: &str) -> String {
    std::fs::write(folder.join("reckon.toml"), changed(question)).unwrap();
    let command = question.lines().find_map(|line| line.strip_prefix("$ reckon ")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
        .args(command.split_whitespace())
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .env_remove("RECKON_CONFIG")
        .output()
        .unwrap();
    assert!(output.stdout.is_empty(), "{question}: a failed command has no result");
    let stderr = String::from_utf8(output.stderr).unwrap();
    format!("{}exit {}", stderr, output.status.code().unwrap())
}

#[test]
fn every_wrong_configuration_is_answered_with_place_fault_and_way_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(BLOCKS);
    let text = std::fs::read_to_string(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (preface, blocks) = blocks(&text);
    assert!(blocks.len() > 50, "the catalogue is read whole");
    let answers: Vec<String> = blocks.iter().map(|block| answer(folder.path(), &block.question)).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut updated = preface;
        for (block, answer) in blocks.iter().zip(&answers) {
            updated.push_str(&format!("\n## {}{answer}\n", block.question));
        }
        std::fs::write(&path, updated).unwrap();
        return;
    }
    for (block, answer) in blocks.iter().zip(&answers) {
        assert_eq!(answer, &block.answer, "\n## {}", block.question);
        assert!(answer.starts_with("reckon: reckon.toml:") && answer.ends_with("exit 2"), "{answer}");
    }
}

#[test]
fn the_catalogue_starts_from_a_configuration_without_faults() {
    reckon::config::parse(Path::new("reckon.toml"), EVERY_KEY).unwrap();
}
