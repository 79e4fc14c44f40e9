//! Takes the output of a batch apart.
//!
//! The wrapper writes a mark where something begins or ends: an unguessable word, fields separated by
//! spaces, a newline. Everything between two marks is output as the steps wrote it.

use bytes::Bytes;

/// Marks are short; a longer one is not ours.
const MARK_LIMIT: usize = 8 * 1024;

/// A piece of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Output.
    Data(Bytes),
    /// The fields of a mark.
    Mark(Vec<String>),
}

/// Takes one stream apart, keeping no more than an unfinished mark.
pub(crate) struct Splitter {
    nonce: Vec<u8>,
    held: Vec<u8>,
}

impl Splitter {
    /// A splitter for marks that start with `nonce`.
    pub(crate) fn new(nonce: &str) -> Self {
        Self { nonce: nonce.as_bytes().to_vec(), held: Vec::new() }
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn push(&mut self, data: &[u8]) -> Vec<Frame> {
        let mut buffer = std::mem::take(&mut self.held);
        buffer.extend_from_slice(data);
        let mut frames = Vec::new();
        let mut rest = buffer.as_slice();
        while let Some((before, from)) = self.find(rest) {
            push_data(&mut frames, before);
            match self.mark(from) {
                Some((fields, after)) => {
                    frames.push(Frame::Mark(fields));
                    rest = after;
                }
                None => {
                    self.held = from.to_vec();
                    return frames;
                }
            }
        }
        push_data(&mut frames, rest);
        frames
    }

    /// Splits before the first place where a mark stands or may be beginning.
    fn find<'a>(&self, data: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let first = *self.nonce.first()?;
        let mut from = 0;
        while let Some(offset) = data.get(from..)?.iter().position(|byte| *byte == first) {
            let at = from + offset;
            let (before, rest) = data.split_at(at);
            let common = rest.len().min(self.nonce.len());
            if rest.get(..common) == self.nonce.get(..common) {
                return Some((before, rest));
            }
            from = at + 1;
        }
        None
    }

    fn mark<'a>(&self, data: &'a [u8]) -> Option<(Vec<String>, &'a [u8])> {
        let body = data.get(self.nonce.len()..)?;
        let window = body.get(..body.len().min(MARK_LIMIT)).unwrap_or(body);
        let end = match window.iter().position(|byte| *byte == b'\n') {
            Some(end) => end,
            None if body.len() > MARK_LIMIT => MARK_LIMIT,
            None => return None,
        };
        let text = String::from_utf8_lossy(body.get(..end)?).into_owned();
        let fields = text.split_ascii_whitespace().map(str::to_owned).collect();
        Some((fields, body.get(end + 1..).unwrap_or_default()))
    }
}

fn push_data(frames: &mut Vec<Frame>, data: &[u8]) {
    if !data.is_empty() {
        frames.push(Frame::Data(Bytes::copy_from_slice(data)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_output_in_any_pieces_comes_out_as_it_went_in(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..6),
            cuts in proptest::collection::vec(1_usize..40, 1..50),
        ) {
            let nonce = "\u{1e}abc123";
            let mut wire = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                wire.extend_from_slice(part);
                wire.extend_from_slice(format!("{nonce} e {index}\n").as_bytes());
            }
            let mut splitter = Splitter::new(nonce);
            let mut seen: Vec<Vec<u8>> = vec![Vec::new()];
            let mut rest = wire.as_slice();
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let (head, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                rest = tail;
                for frame in splitter.push(head) {
                    match frame {
                        Frame::Data(data) => seen.last_mut().unwrap().extend_from_slice(&data),
                        Frame::Mark(fields) => {
                            prop_assert_eq!(fields, ["e".to_owned(), (seen.len() - 1).to_string()]);
                            seen.push(Vec::new());
                        }
                    }
                }
            }
            seen.pop();
            prop_assert_eq!(seen, parts);
        }
    }
}
