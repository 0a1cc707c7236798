//! Runs that end without warning, at any moment.

use std::process::Stdio;
use std::time::Duration;

use super::Night;
use super::hook::{Answer, Hook};
use super::{eventually, signal};

/// Everything in the folder of the runs but the lock.
fn names(night: &Night) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(night.path("reports")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".reckon.lock");
    names.sort();
    names
}

#[test]
fn killed_at_any_moment_the_next_run_goes_on_from_the_last_whole_one() {
    let night = Night::new("");
    let mut ends = std::collections::BTreeMap::new();
    for round in 0..40u64 {
        let mut command = night.command(&["reconcile", "-q", "--fail-on", "new"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Moments from before the first byte to after the last.
        std::thread::sleep(Duration::from_micros(round * 2_500));
        signal_if_running(if round % 4 == 3 { "-TERM" } else { "-KILL" }, &mut child);
        let code = child.wait().unwrap().code();
        *ends.entry(code).or_insert(0) += 1;
        assert!([None, Some(0), Some(1), Some(143)].contains(&code), "round {round}: {code:?}");
        // What stands under a name of its own is whole.
        for name in names(&night).iter().filter(|name| !name.starts_with('.')) {
            let run = night.path("reports").join(name);
            assert!(run.join("manifest.json").exists(), "round {round}: {name}");
        }
    }
    assert!(ends.len() > 1, "some were killed and some were not: {ends:?}");
    let ran = night.run(&["reconcile", "-q", "--fail-on", "new"]);
    assert!(ran.code < 2, "{ran:?}");
    assert!(names(&night).iter().all(|name| !name.starts_with('.')), "{:?}", names(&night));
    let whole = names(&night);
    for name in whole.iter().filter(|name| *name != "latest") {
        let verified = night.run(&["verify", &format!("reports/{name}")]);
        assert_eq!(verified.code, 0, "{name}: {verified:?}");
    }
}

fn signal_if_running(name: &str, child: &mut std::process::Child) {
    if child.try_wait().unwrap().is_none() {
        signal(name, child.id());
    }
}

#[test]
fn killed_while_it_tells_the_run_is_whole_and_the_next_one_is_not_kept_out() {
    let hook = Hook::new(&[Answer::Silence, Answer::Status("200 OK")]);
    let night =
        Night::new(&format!("[notify]\nalert = \"any\"\nwebhook = \"http://127.0.0.1:{}/\"", hook.port()));
    let mut child = night.command(&["reconcile", "-q"]).stdout(Stdio::null()).spawn().unwrap();
    eventually("the message is on its way", || !hook.came().is_empty());
    assert_eq!(night.run(&["verify", "reports/latest"]).code, 0, "told is what is there");
    child.kill().unwrap();
    child.wait().unwrap();
    let next = night.run(&["reconcile", "-q"]);
    assert_eq!((next.code, next.stderr.as_str()), (1, ""), "{next:?}");
    assert_eq!(hook.came().len(), 2);
}
