//! A browser without a window, driven over its debugging pipe: nothing listens on the network.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than any answer takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ids and digests may break where a line ends, and so may a name at its hyphens and a time behind its day.
const MISDRAWN: &str = r"(() => {
    const found = [];
    const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = all.nextNode(); node; node = all.nextNode()) {
        const inside = node.parentElement;
        if (!inside.getClientRects().length || inside.closest('.id, .digest, .sr, .skip, pre, svg')) continue;
        for (const word of node.textContent.matchAll(/[^\s]{2,}/g)) {
            if (/[0-9a-f]{12}|[^0-9]-|[0-9]-[0-9]|[/\‹]/.test(word[0])) continue;
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map((line) => Math.round(line.top)));
            if (lines.size > 1) found.push('broken: ' + word[0]);
        }
    }
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) found.push(`the page is ${page.scrollWidth} wide`);
    for (const card of document.querySelectorAll('.card:not(.scroll), .figure')) {
        if (card.scrollWidth > card.clientWidth + 1) found.push('sticks out: ' + card.textContent.trim().slice(0, 40));
    }
    return [...new Set(found)];
})()";

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: File,
    from: Receiver<Value>,
    asked: u64,
    session: Option<String>,
    events: Vec<Value>,
    _folder: TempDir,
}

/// The browser that there is: `CHROMIUM` names it, else it is looked for on the path.
pub fn program() -> Option<OsString> {
    let named = std::env::var_os("CHROMIUM");
    let known = ["chromium", "chromium-browser", "google-chrome"].map(OsString::from);
    named.into_iter().chain(known).find(|program| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

impl Browser {
    /// Starts the browser with an empty page.
    pub fn start(program: &OsString) -> Browser {
        let folder = tempfile::tempdir().unwrap();
        let [to, from] = ["to", "from"].map(|name| folder.path().join(name));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        // Opened for both directions, a pipe waits for nobody.
        let open = |path: &Path| OpenOptions::new().read(true).write(true).open(path).unwrap();
        let (writer, reader) = (open(&to), open(&from));
        let child = Command::new("sh")
            .arg("-c")
            .arg(
                "exec \"$0\" --headless --no-sandbox --disable-gpu --no-first-run --remote-debugging-pipe \
                 --disable-background-networking --user-data-dir=\"$3\" about:blank 3<\"$1\" 4>\"$2\"",
            )
            .args([program, to.as_os_str(), from.as_os_str(), folder.path().join("profile").as_os_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (send, receive) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(reader).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { break };
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Browser {
            child,
            to: writer,
            from: receive,
            asked: 0,
            session: None,
            events: Vec::new(),
            _folder: folder,
        };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let given = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", given);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Calls a method of the browser and waits for its answer.
    pub fn call(&mut self, method: &str, given: Value) -> Value {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": given });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{method}: no answer"));
            if answer["id"] == self.asked {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// What an expression, or the promise that it gives, comes to in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let given = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", given);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Opens a file at an address in it and waits until its script has started.
    pub fn open(&mut self, file: &Path, address: &str) {
        self.load(file, address);
        self.value(
            "(async () => { while (document.documentElement?.dataset.ready !== 'yes') \
             await new Promise((next) => setTimeout(next, 10)); })()",
        );
    }

    /// Opens a file at an address in it and waits until it is there.
    pub fn load(&mut self, file: &Path, address: &str) {
        // Another address in the same page would not load it again.
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.call("Page.navigate", json!({ "url": format!("file://{}{address}", file.display()) }));
        self.value(
            "(async () => { while (document.readyState !== 'complete' || location.protocol !== 'file:') \
             await new Promise((next) => setTimeout(next, 10)); })()",
        );
    }

    /// Draws the page so many pixels wide.
    pub fn resize(&mut self, width: u32) {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", screen);
    }

    /// What nobody can read: numbers broken over lines, single words of letters too, and what sticks out of
    /// the page or of its card.
    pub fn misdrawn(&mut self) -> Vec<String> {
        let found = self.value(MISDRAWN);
        found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// The addresses that were asked for, and what was complained about, since the last call.
    pub fn requests_and_complaints(&mut self) -> (Vec<String>, Vec<String>) {
        let (mut requests, mut complaints) = (Vec::new(), Vec::new());
        for event in std::mem::take(&mut self.events) {
            let given = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => {
                    requests.push(given["request"]["url"].as_str().unwrap().to_owned());
                }
                "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled" => {
                    complaints.push(given.to_string());
                }
                _ => {}
            }
        }
        (requests, complaints)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
