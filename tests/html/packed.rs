//! What the page's packed blocks hold, read by other means than the page's script.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;

/// Findings of the page: the fields of their lines, and the words that their blocks name.
pub struct Findings {
    pub lines: Vec<Vec<String>>,
    pub users: Vec<String>,
    pub tokens: Vec<String>,
    pub causes: Vec<String>,
    /// Class and severity of each.
    pub marks: Vec<(u8, u8)>,
}

fn unzip(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(STANDARD.decode(text).unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn blocks<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("<script type=\"text/plain\" class=\"{kind}\">");
    page.split(&start).skip(1).map(|part| part.split('<').next().unwrap()).collect()
}

fn lines(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let text = String::from_utf8(bytes).unwrap();
    let unescape = |field: &str| {
        let marks = [("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")];
        marks.iter().fold(field.to_owned(), |field, (mark, letter)| field.replace(mark, letter))
    };
    text.lines().map(|line| line.split('\t').map(unescape).collect()).collect()
}

/// All findings of the page.
pub fn findings(page: &str) -> Findings {
    let mut all = Findings {
        lines: Vec::new(),
        users: Vec::new(),
        tokens: Vec::new(),
        causes: Vec::new(),
        marks: Vec::new(),
    };
    for block in blocks(page, "findings") {
        let (index, text) = block.split_once(' ').unwrap();
        let index = unzip(index);
        let length = u32::from_le_bytes(index[..4].try_into().unwrap()) as usize;
        let head: Value = serde_json::from_slice(&index[4..4 + length]).unwrap();
        let words = |name: &str| -> Vec<String> { serde_json::from_value(head[name].clone()).unwrap() };
        all.users.extend(words("users"));
        all.tokens.extend(words("tokens"));
        all.causes.extend(words("causes"));
        let rows = head["rows"].as_u64().unwrap() as usize;
        // A time of eight bytes, six codes of four, four marks of one.
        let marks = &index[4 + length + rows * (8 + 6 * 4)..];
        assert_eq!(marks.len(), rows * 4, "nothing follows the columns");
        all.marks.extend((0..rows).map(|row| (marks[row], marks[rows + row])));
        all.lines.extend(lines(unzip(text)));
    }
    all
}

/// All users of the page with their balances.
pub fn people(page: &str) -> Vec<Vec<String>> {
    blocks(page, "people").into_iter().flat_map(|block| lines(unzip(block))).collect()
}

/// What the script knows beside the blocks.
pub fn facts(page: &str) -> Value {
    let start = "<script type=\"application/json\" id=\"facts\">";
    serde_json::from_str(page.split_once(start).unwrap().1.split_once("</script>").unwrap().0).unwrap()
}
