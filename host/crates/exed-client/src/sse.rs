//! Server-sent events (the WHATWG "event stream" format), parsed as bytes arrive.

/// One dispatched event; its name is not kept, because the data names its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The data lines, joined by newlines.
    pub(crate) data: String,
}

/// The parser's state between chunks, which may end anywhere, also within a character.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    data: Vec<String>,
    after_cr: bool,
}

impl Parser {
    /// Takes a chunk and returns the events that it completes.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for &byte in chunk {
            let second_of_crlf = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            if second_of_crlf {
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                let line = std::mem::take(&mut self.line);
                messages.extend(self.end_of_line(&String::from_utf8_lossy(&line)));
            } else {
                self.line.push(byte);
            }
        }
        messages
    }

    fn end_of_line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return (!data.is_empty()).then(|| Message { data: data.join("\n") });
        }
        // A line that begins with a colon is a comment; other fields than the data are not needed.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            self.data.push(value.strip_prefix(' ').unwrap_or(value).to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str =
        ": hello\n\nid: 1\nevent: x\ndata: {\"a\":\ndata: \"é\"}\n\r\ndata:two\r\n\r\ndata: cut";

    #[test]
    fn events_are_the_same_however_the_chunks_are_cut() {
        let expected = ["{\"a\":\n\"é\"}", "two"].map(|data| Message { data: data.to_owned() });
        for size in 1..STREAM.len() {
            let mut parser = Parser::default();
            let messages: Vec<Message> =
                STREAM.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            assert_eq!(messages, expected, "in chunks of {size}");
        }
    }
}
