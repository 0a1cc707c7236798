//! Runs that are started while another one is at work on the same folder.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use super::{Night, Ran, eventually};

/// The history: the digest of each run's manifest, and that of the run that it names as the one before.
fn chain(night: &Night) -> BTreeMap<String, Option<String>> {
    let mut chain = BTreeMap::new();
    for entry in std::fs::read_dir(night.path("reports")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == "latest" || name == ".reckon.lock" {
            continue;
        }
        let bytes = std::fs::read(entry.path().join("manifest.json"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        chain.insert(digest, manifest["previous"].as_str().map(str::to_owned));
    }
    chain
}

/// One run is the first, and each other one follows a run that no other follows.
fn assert_one_line(chain: &BTreeMap<String, Option<String>>) {
    assert_eq!(chain.values().filter(|previous| previous.is_none()).count(), 1, "{chain:?}");
    let mut followed: Vec<&String> = chain.values().flatten().collect();
    followed.sort();
    followed.dedup();
    assert_eq!(followed.len(), chain.len() - 1, "the chain is forked: {chain:?}");
    assert!(followed.iter().all(|digest| chain.contains_key(*digest)), "{chain:?}");
}

fn start(night: &Night, args: &[&str]) -> Child {
    night.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(children: Vec<Child>) -> Vec<Ran> {
    children.into_iter().map(|child| Ran::of(child.wait_with_output().unwrap())).collect()
}

#[test]
fn eight_at_once_go_one_after_the_other_where_they_wait() {
    let night = Night::new("");
    let ran =
        end((0..8).map(|_| start(&night, &["reconcile", "--wait", "5m", "--fail-on", "new"])).collect());
    for ran in &ran {
        assert!(ran.code < 2, "{ran:?}");
    }
    // To the first of them everything was new, and to no other.
    assert_eq!(ran.iter().filter(|ran| ran.code == 1).count(), 1, "{ran:?}");
    let chain = chain(&night);
    assert_eq!(chain.len(), 8);
    assert_one_line(&chain);
}

#[test]
fn eight_at_once_that_do_not_wait_never_fork_the_chain() {
    let night = Night::new("");
    let ran = end((0..8).map(|_| start(&night, &["reconcile"])).collect());
    let done = ran.iter().filter(|ran| ran.code == 1).count();
    assert!(done >= 1, "{ran:?}");
    for ran in ran.iter().filter(|ran| ran.code != 1) {
        assert_eq!(ran.code, 2, "{ran:?}");
        let said = &ran.stderr;
        assert!(said.contains("another run (") && said.contains("is at work on reports; "), "{said}");
        assert_eq!(ran.stdout, "");
    }
    let chain = chain(&night);
    assert_eq!(chain.len(), done);
    assert_one_line(&chain);
}

#[test]
fn the_second_is_told_who_is_at_work_and_one_that_waits_goes_on_when_that_ends() {
    let night = Night::new("");
    std::fs::create_dir(night.path("reports")).unwrap();
    let lock = night.path("reports/.reckon.lock");
    std::fs::write(&lock, r#"{"pid":4242,"host":"elsewhere","since":"2026-03-01T03:15:00.000000Z"}"#)
        .unwrap();
    let held = std::fs::File::open(&lock).unwrap();
    flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    let ran = night.run(&["reconcile"]);
    assert_eq!(ran.code, 2);
    let expected = "reckon: another run (pid 4242 on host elsewhere since 2026-03-01T03:15:00.000000Z) is at work on reports; \
                    let it end, wait for it with --wait 10m, or write elsewhere with --out\n";
    assert_eq!(ran.stderr, expected);
    assert!(night.run(&["reconcile", "--wait", "200ms"]).stderr.ends_with(expected), "it waits in vain");
    // Elsewhere there is no history to be forked.
    assert_eq!(night.run(&["reconcile", "--out", "out"]).code, 1);

    let mut waiting = start(&night, &["reconcile", "--wait", "5m"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(waiting.try_wait().unwrap().is_none(), "it waits");
    drop(held);
    let ran = end(vec![waiting]).remove(0);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("waiting up to 300 s"), "{ran:?}");

    // A signal ends the waiting.
    let held = std::fs::File::open(&lock).unwrap();
    flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    let waiting = start(&night, &["reconcile", "--wait", "5m"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    super::signal("-TERM", waiting.id());
    assert_eq!(end(vec![waiting])[0].code, 143);
    eventually("nothing of it stays", || {
        let names = std::fs::read_dir(night.path("reports")).unwrap().map(|entry| entry.unwrap().file_name());
        !names.into_iter().any(|name| name.to_string_lossy().starts_with(".run.tmp"))
    });
}
