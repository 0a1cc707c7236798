//! Posting to a webhook: what is told, when, how often, and that nothing else changes.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use super::hook::{Answer, Hook};
use super::{Night, eventually, signal};

const OK: &[Answer] = &[Answer::Status("200 OK")];
const SECRET: &str = "T0SECRET/B0SECRET/XyZ0123456789";

/// A run that posts to the hook, whose address holds a secret and stands in a variable.
fn night(hook: &Hook, more: &str) -> Night {
    Night::new(&format!("[notify]\nwebhook_env = \"HOOK\"\n{more}"))
        .with("HOOK", &format!("http://127.0.0.1:{}/services/{SECRET}", hook.port()))
}

#[test]
fn a_night_with_news_is_told_once_and_a_quiet_one_is_not() {
    let hook = Hook::new(OK);
    let night = night(&hook, "");
    let first = night.run(&["reconcile", "--fail-on", "new", "-q"]);
    assert_eq!((first.code, first.stderr.as_str()), (1, ""), "{first:?}");
    let told = hook.came();
    assert_eq!(told.len(), 1);
    assert!(told[0].head.starts_with(&format!("POST /services/{SECRET} HTTP/1.1\r\n")), "{}", told[0].head);
    assert!(
        told[0].head.to_lowercase().contains("\r\ncontent-type: application/json\r\n"),
        "{}",
        told[0].head
    );
    let body = &told[0].body;
    let latest = std::fs::canonicalize(night.path("reports/latest")).unwrap();
    let summary = super::json(&latest.join("summary.json"));
    let expected: [(&str, Value); 11] = [
        ("schema", "reckon.notification/1".into()),
        ("event", "discrepancies".into()),
        ("verdict", "discrepancies".into()),
        ("exit_code", 1.into()),
        ("as_of", "2026-04-01T00:00:00.000000Z".into()),
        ("run_directory", latest.to_str().unwrap().into()),
        ("errors", 2.into()),
        ("new_errors", 2.into()),
        ("unexplained_tokens", Value::Null),
        ("error", Value::Null),
        ("host", super::json(&latest.join("manifest.json"))["run"]["host"].clone()),
    ];
    for (key, expected) in expected {
        assert_eq!(body[key], expected, "{key}: {body}");
    }
    assert_eq!(body["findings"]["unmigrated"], serde_json::json!({ "count": 2, "new": 2, "waived": 0 }));
    assert_eq!(summary["findings"]["unmigrated"]["count"], 2);
    let listed = body["new_findings"].as_array().unwrap();
    let users: Vec<&str> = listed.iter().map(|finding| finding["user_id"].as_str().unwrap()).collect();
    assert_eq!(users, ["ben", "cal"]);
    assert_eq!(listed[0]["class"], "unmigrated");
    assert_eq!(listed[0]["tokens_effect"], 250_000);
    let csv = std::fs::read_to_string(latest.join("findings.csv")).unwrap();
    assert!(csv.contains(listed[0]["finding_id"].as_str().unwrap()));
    for key in body.as_object().unwrap().keys() {
        assert!(super::document().contains(&format!("`{key}`")), "docs/nightly.md does not explain {key}");
    }
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("2 of 2 errors are new (unmigrated 2).") && !text.contains('\n'), "{text}");

    // The same night again: the verdict stands, and nobody is woken.
    let second = night.run(&["reconcile", "--fail-on", "new", "-q"]);
    assert_eq!((second.code, second.stdout.as_str()), (0, ""), "{second:?}");
    assert_eq!(hook.came().len(), 1);

    // One more, and only that one is listed; the verdict of the command is told as it is.
    night.lose_a_grant("L9");
    assert_eq!(night.run(&["reconcile"]).code, 1);
    let body = &hook.bodies()[1];
    assert_eq!((&body["errors"], &body["new_errors"]), (&3.into(), &1.into()), "{body}");
    assert_eq!(body["new_findings"].as_array().unwrap().len(), 1);

    // Rows that are gone are worth an alert although nothing else is new.
    let all = std::fs::read_to_string(night.path("legacy.csv")).unwrap();
    std::fs::write(
        night.path("legacy.csv"),
        all.replace("L9,ada,renewal_grant,1000,2026-02-20T09:00:00Z,\n", ""),
    )
    .unwrap();
    assert_eq!(night.run(&["reconcile", "--fail-on", "new"]).code, 0);
    let body = &hook.bodies()[2];
    assert_eq!((&body["event"], &body["exit_code"]), (&"shrunk".into(), &0.into()), "{body}");
    assert!(body["shrunk"][0].as_str().unwrap().contains("1 row and 1000 tokens are gone"), "{body}");
    assert_eq!(hook.came().len(), 3);
}

#[test]
fn any_tells_every_night_until_nothing_is_left_and_no_notify_tells_nobody() {
    let hook = Hook::new(OK);
    let night = night(&hook, "alert = \"any\"");
    for told in [1, 2] {
        assert_eq!(night.run(&["reconcile", "--fail-on", "new", "-q"]).code, i32::from(told == 1));
        assert_eq!(hook.came().len(), told);
    }
    assert_eq!(hook.bodies()[1]["event"], "discrepancies");
    assert_eq!(hook.bodies()[1]["new_errors"], 0);
    assert_eq!(night.run(&["reconcile", "--no-notify"]).code, 1);
    // With a directory of its own a run knows no run before it: every error is new.
    assert_eq!(night.run(&["reconcile", "--out", "out"]).code, 1);
    assert_eq!(hook.bodies()[2]["new_errors"], 2);
    assert_eq!(hook.came().len(), 3);
    std::fs::write(
        night.path("legacy.csv"),
        "id,user_id,action_type,tokens_used,created_at,stripe_payment_intent_id\n",
    )
    .unwrap();
    std::fs::write(
        night.path("unified.csv"),
        "id,user_id,action_type,tokens_used,success,metadata,created_at\n",
    )
    .unwrap();
    assert_eq!(night.run(&["reconcile", "--out", "out"]).code, 0);
    assert_eq!(hook.came().len(), 3, "a clean run is told to nobody");
}

#[test]
fn an_alert_that_did_not_arrive_is_owed_until_it_has() {
    const DOWN_ONCE: &[Answer] = &[Answer::Status("500 Internal Server Error"), Answer::Status("200 OK")];
    let hook = Hook::new(DOWN_ONCE);
    let night = night(&hook, "retries = 0");
    let owed = || night.path("reports/.reckon.owed.json").exists();
    let quiet = ["reconcile", "--fail-on", "new", "-q"];
    let first = night.run(&quiet);
    assert!(first.code == 1 && first.stderr.contains("nobody was told") && owed(), "{first:?}");
    // A run by hand tells nobody and uses nothing up, be it by the flag or for want of the variable; nor
    // does one of no history.
    assert_eq!(night.run(&["reconcile", "--fail-on", "new", "--no-notify"]).code, 0);
    let mut unset = night.command(&quiet);
    assert!(unset.env_remove("HOOK").output().unwrap().status.success());
    assert!(owed());
    assert_eq!(hook.came().len(), 1);
    // The next night has nothing new, exits as such, and tells what was not told.
    let next = night.run(&quiet);
    assert_eq!((next.code, next.stderr.as_str()), (0, ""), "{next:?}");
    let body = &hook.bodies()[1];
    assert_eq!(
        (&body["event"], &body["exit_code"], &body["new_errors"], &body["owed_errors"]),
        (&"discrepancies".into(), &0.into(), &0.into(), &2.into()),
        "{body}"
    );
    assert_eq!(body["new_findings"].as_array().unwrap().len(), 2);
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("2 errors of earlier runs were not told before and still stand."), "{text}");
    assert!(!owed());
    assert_eq!(night.run(&quiet).code, 0);
    assert_eq!(hook.came().len(), 2, "once told, it is told");

    // Told to nobody by hand, together with what is new then; what stands no more is owed no more.
    night.lose_a_grant("L9");
    assert_eq!(night.run(&["reconcile", "--no-notify", "-q"]).code, 1);
    night.lose_a_grant("L10");
    assert_eq!(night.run(&quiet).code, 1);
    let body = &hook.bodies()[2];
    assert_eq!((&body["new_errors"], &body["owed_errors"]), (&1.into(), &1.into()), "{body}");
    night.lose_a_grant("L11");
    assert_eq!(night.run(&["reconcile", "--no-notify", "-q"]).code, 1);
    let all = std::fs::read_to_string(night.path("legacy.csv")).unwrap();
    let kept: Vec<&str> = all.lines().filter(|line| !line.starts_with("L11,")).collect();
    std::fs::write(night.path("legacy.csv"), kept.join("\n")).unwrap();
    assert_eq!(night.run(&quiet).code, 0);
    let body = &hook.bodies()[3];
    assert_eq!((&body["event"], &body["owed_errors"]), (&"shrunk".into(), &0.into()), "{body}");
}

#[test]
fn what_goes_with_a_run_that_nobody_was_told_of_is_told_by_the_next() {
    const DOWN_ONCE: &[Answer] = &[Answer::Silence, Answer::Status("200 OK")];
    for name in ["-KILL", "-TERM"] {
        let hook = Hook::new(DOWN_ONCE);
        let night = night(&hook, "timeout = \"60s\"\ndeadline = \"60s\"");
        let mut command = night.command(&["reconcile", "-q"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("the message is on its way", || !hook.came().is_empty());
        signal(name, child.id());
        child.wait().unwrap();
        assert_eq!(night.run(&["reconcile", "-q", "--fail-on", "new"]).code, 0);
        assert_eq!(hook.bodies()[1]["owed_errors"], 2, "{name}");
    }
}

#[test]
fn a_job_that_cannot_be_done_is_told_with_its_reason_and_one_that_never_began_is_not() {
    let hook = Hook::new(OK);
    let night = night(&hook, "");
    std::fs::remove_file(night.path("unified.csv")).unwrap();
    let failed = night.run(&["reconcile", "-q"]);
    assert_eq!(failed.code, 2);
    assert!(failed.stderr.starts_with("reckon: the unified side: unified.csv"), "{failed:?}");
    let body = &hook.bodies()[0];
    assert_eq!((&body["event"], &body["exit_code"]), (&"failed".into(), &2.into()), "{body}");
    let why = body["error"].as_str().unwrap();
    assert!(failed.stderr.contains(why), "{why} / {failed:?}");
    for unknown in ["verdict", "errors", "new_errors", "run_directory", "findings"] {
        assert_eq!(body[unknown], Value::Null, "{unknown}");
    }
    // Under --redact the reason stays here.
    let redacted = night.run(&["reconcile", "--out", "x", "--redact"]);
    assert_eq!(redacted.code, 2, "no key: {redacted:?}");
    assert_eq!(hook.came().len(), 1, "a usage error is told to nobody");
    let mut command = night.command(&["reconcile", "--out", "x", "--redact"]);
    assert_eq!(command.env("RECKON_REDACT_KEY", "k".repeat(64)).status().unwrap().code(), Some(2));
    assert!(!hook.bodies()[1].to_string().contains("unified.csv"), "{:?}", hook.bodies()[1]);
    night.append("reckon.toml", "\nnonsense");
    assert_eq!(night.run(&["reconcile"]).code, 2);
    assert_eq!(hook.came().len(), 2, "a configuration that cannot be read names nobody");
}

#[test]
fn a_server_in_trouble_is_asked_again_and_one_that_says_no_is_not() {
    const TROUBLE: &[Answer] =
        &[Answer::Status("500 Internal Server Error"), Answer::Cut, Answer::Status("204 No Content")];
    const LIMITED: &[Answer] =
        &[Answer::Status("429 Too Many Requests\r\nretry-after: 1"), Answer::Status("200 OK")];
    const NO: &[Answer] = &[Answer::Status("404 Not Found")];
    const AWAY: &[Answer] = &[Answer::Status("302 Found\r\nlocation: http://127.0.0.1:9/elsewhere")];
    const DOWN: &[Answer] = &[Answer::Status("503 Service Unavailable")];
    const NEVER: &[Answer] =
        &[Answer::Status("503 Service Unavailable\r\nretry-after: 18446744073709551615")];
    // answers, retries, requests, told
    let cases = [
        (TROUBLE, 3, 3, None),
        (LIMITED, 3, 2, None),
        (NO, 3, 1, Some("answered 404 Not Found")),
        (AWAY, 3, 1, Some("a redirect (302)")),
        (NEVER, 3, 1, Some("answered 503 Service Unavailable")),
        (DOWN, 1, 2, Some("answered 503 Service Unavailable, after 2 tries")),
    ];
    for (answers, retries, requests, why) in cases {
        let hook = Hook::new(answers);
        let began = Instant::now();
        let ran = night(&hook, &format!("retries = {retries}")).run(&["reconcile", "-q"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(hook.came().len(), requests, "{answers:?}: {ran:?}");
        assert!(ran.stdout.contains("DISCREPANCIES"), "the result is printed: {ran:?}");
        match why {
            None => assert_eq!(ran.stderr, "", "{answers:?}"),
            Some(why) => assert!(ran.stderr.contains(why) && ran.stderr.contains("ERROR"), "{ran:?}"),
        }
        assert!(!ran.stderr.contains("SECRET") && !ran.stderr.contains("XyZ"), "{ran:?}");
        if requests > 1 {
            assert!(began.elapsed() >= Duration::from_millis(500), "it waits between tries");
        }
        let (first, last) = (&hook.bodies()[0], &hook.bodies()[requests - 1]);
        assert_eq!(first, last, "each try says the same");
    }
}

#[test]
fn an_answer_that_repeats_the_address_puts_no_secret_into_the_log() {
    const ECHO: &[Answer] = &[Answer::Echo("503 Service Unavailable")];
    let hook = Hook::new(ECHO);
    let night = night(&hook, "retries = 1").with("RUST_LOG", "info");
    let ran = night.run(&["reconcile", "--no-progress"]);
    assert!(ran.stderr.contains("another try follows") && ran.stderr.contains("POST /"), "{ran:?}");
    for part in SECRET.split('/') {
        assert!(!ran.stderr.contains(part), "{part}: {ran:?}");
    }
}

#[test]
fn a_webhook_that_hangs_holds_nothing_up_beyond_the_deadline() {
    let hook = Hook::new(&[Answer::Silence]);
    let night = night(&hook, "timeout = \"400ms\"\ndeadline = \"1500ms\"");
    let began = Instant::now();
    let ran = night.run(&["reconcile", "-q"]);
    let took = began.elapsed();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let (tries, port) = (hook.came().len(), hook.port());
    assert!((1..=4).contains(&tries), "{tries}");
    let expected = format!("[notify] webhook: http://127.0.0.1:{port}: no answer within ");
    assert!(ran.stderr.contains(&expected) && ran.stdout.contains("unmigrated"), "{ran:?}");
    assert!(night.path("reports/latest/manifest.json").exists());

    // Nobody listens any more; a run that could not be done says so as well, and its code stays 2.
    let closed =
        Night::new("[notify]\nwebhook = \"http://127.0.0.1:1/SECRET-0123\"\nretries = 1\ndeadline = \"3s\"");
    std::fs::remove_file(closed.path("legacy.csv")).unwrap();
    let ran = closed.run(&["reconcile", "-q"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("reckon: the legacy side") && ran.stderr.contains("no connection"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("SECRET"), "{ran:?}");
}

#[test]
fn a_signal_ends_the_telling_and_the_result_stands() {
    let hook = Hook::new(&[Answer::Silence]);
    let night = night(&hook, "timeout = \"60s\"\ndeadline = \"60s\"");
    let mut command = night.command(&["reconcile"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the message is on its way", || !hook.came().is_empty());
    let began = Instant::now();
    signal("-TERM", child.id());
    let ran = super::Ran::of(child.wait_with_output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(ran.code, 1, "the run was whole before the signal: {ran:?}");
    assert!(ran.stderr.contains("was ended by a signal"), "{ran:?}");
    assert!(ran.stdout.contains("unmigrated") && night.path("reports/latest/manifest.json").exists());
}

#[test]
fn a_variable_that_is_not_set_is_said_and_doctor_sees_it_beforehand() {
    let unset = Night::new("[notify]\nwebhook_env = \"HOOK\"");
    let ran = unset.run(&["reconcile", "-q"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the variable HOOK is not set"), "{ran:?}");
    let checks = |ran: &super::Ran| -> Vec<String> {
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        let checks = json["checks"].as_array().unwrap().iter().filter(|check| check["check"] == "notify");
        checks
            .map(|check| {
                format!("{} {}", check["subject"].as_str().unwrap(), check["state"].as_str().unwrap())
            })
            .collect()
    };
    let doctor = unset.run(&["doctor", "--format", "json"]);
    assert_eq!((doctor.code, checks(&doctor)), (0, vec!["[notify] webhook warn".to_owned()]), "{doctor:?}");
    let tried = unset.run(&["doctor", "--notify", "--format", "json"]);
    assert_eq!(tried.code, 2);
    assert_eq!(checks(&tried), ["[notify] webhook warn", "[notify] webhook fail"]);

    let said = unset.run(&["doctor", "--notify", "-q"]).stdout;
    assert!(said.contains("the job can run, but people are not told"), "{said}");

    let hook = Hook::new(OK);
    let set = night(&hook, "");
    let doctor = set.run(&["doctor", "--format", "json"]);
    assert_eq!(checks(&doctor), ["[notify] webhook ok"]);
    assert!(hook.came().is_empty(), "a look tells nobody");
    let tried = set.run(&["doctor", "--notify", "--format", "json"]);
    assert_eq!((tried.code, checks(&tried)), (0, vec!["[notify] webhook ok".to_owned(); 2]), "{tried:?}");
    assert_eq!(hook.bodies()[0]["event"], "test");
    assert!(!format!("{doctor:?}{tried:?}").contains("SECRET"));
    let nobody = Night::new("").run(&["doctor", "--notify"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.stdout.contains("[notify]"), "{nobody:?}");
}

/// A certificate that vouches for itself, for 127.0.0.1.
fn certificate(folder: &std::path::Path) {
    let arguments = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=hook -addext \
                     subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout hook.key -out hook.crt";
    let output = std::process::Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn over_tls_the_server_has_to_prove_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let (file, key) = (folder.path().join("hook.crt"), folder.path().join("hook.key"));
    let chain = vec![CertificateDer::from_pem_file(&file).unwrap()];
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let hook = Hook::serving(OK, move |stream| {
        let connection = rustls::ServerConnection::new(config.clone()).ok()?;
        Some(Box::new(rustls::StreamOwned::new(connection, stream)))
    });
    let night = |roots: &std::path::Path| {
        Night::new("[notify]\nwebhook_env = \"HOOK\"\nretries = 0")
            .with("HOOK", &format!("https://127.0.0.1:{}/{SECRET}", hook.port()))
            .with("SSL_CERT_FILE", roots.to_str().unwrap())
    };
    // However much is logged, the address is not.
    let talkative = night(&file).with("RUST_LOG", "trace").run(&["reconcile", "--no-progress"]);
    assert!(talkative.stderr.contains("told https://127.0.0.1:"), "{talkative:?}");
    assert!(!talkative.stderr.contains("SECRET") && !talkative.stdout.contains("SECRET"), "{talkative:?}");
    let trusted = night(&file).run(&["reconcile", "-q"]);
    assert_eq!((trusted.code, trusted.stderr.as_str()), (1, ""), "{trusted:?}");
    assert_eq!(hook.came().len(), 2);

    let other = tempfile::tempdir().unwrap();
    certificate(other.path());
    let untrusted = night(&other.path().join("hook.crt")).run(&["reconcile", "-q"]);
    assert_eq!(untrusted.code, 1);
    assert!(
        untrusted.stderr.contains("certificate") && !untrusted.stderr.contains("SECRET"),
        "{untrusted:?}"
    );
    assert_eq!(hook.came().len(), 2, "nothing is said to a server that nobody vouches for");
}
