//! A server that takes what is posted to it, and answers as told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What the server does with a request.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// This status line and these further headers.
    Status(&'static str),
    /// This status line, and the head of the request as the answer.
    Echo(&'static str),
    /// Nothing, ever.
    Silence,
    /// The line is cut.
    Cut,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// First line and headers.
    pub head: String,
    /// The body as JSON.
    pub body: Value,
}

/// The server; it answers until the test process ends.
pub struct Hook {
    port: u16,
    came: Arc<Mutex<Vec<Request>>>,
}

impl Hook {
    /// Answers each request with the next of `answers`, the last one again and again.
    pub fn new(answers: &'static [Answer]) -> Hook {
        Hook::serving(answers, |stream| Some(Box::new(stream)))
    }

    /// The same behind a line that `wrap` makes of the connection, such as TLS.
    pub fn serving(
        answers: &'static [Answer],
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Line>> + Send + 'static,
    ) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let came: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = came.clone();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                let Some(mut line) = wrap(stream) else { continue };
                let Some(request) = read(&mut *line) else { continue };
                let head = request.head.lines().next().unwrap_or_default().to_owned();
                let number = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request);
                    kept.len() - 1
                };
                match answers[number.min(answers.len() - 1)] {
                    Answer::Status(status) => {
                        let answer =
                            format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                        let _ = line.write_all(answer.as_bytes()).and_then(|()| line.flush());
                    }
                    Answer::Echo(status) => {
                        let length = head.len();
                        let answer = format!(
                            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{head}"
                        );
                        let _ = line.write_all(answer.as_bytes()).and_then(|()| line.flush());
                    }
                    Answer::Silence => silent.push(line),
                    Answer::Cut => {}
                }
            }
        });
        Hook { port, came }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What came so far.
    pub fn came(&self) -> Vec<Request> {
        self.came.lock().unwrap().clone()
    }

    /// The bodies of what came so far.
    pub fn bodies(&self) -> Vec<Value> {
        self.came().into_iter().map(|request| request.body).collect()
    }
}

/// A line in both directions.
pub trait Line: Read + Write + Send {}
impl<T: Read + Write + Send> Line for T {}

/// Reads one request; `None` where the other side went away or did not speak HTTP.
fn read(line: &mut dyn Line) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if line.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| {
        line.to_lowercase().strip_prefix("content-length:").and_then(|text| text.trim().parse().ok())
    })?;
    let mut body = vec![0; length];
    line.read_exact(&mut body).ok()?;
    Some(Request { head, body: serde_json::from_slice(&body).ok()? })
}
