//! Commands are words, never one string that somebody splits again.

/// Characters that mean nothing to any shell and look like nothing else.
pub(crate) fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',' | '-')
}

/// Joins the words of a command by single spaces. As no word contains a space or is empty, two different
/// commands never give the same text.
pub(crate) fn join(words: &[String], globs: &[String]) -> Result<String, String> {
    if words.is_empty() {
        return Err("a command without words is not allowed".to_owned());
    }
    let mut used_globs = 0;
    for word in words {
        if word.is_empty() {
            return Err("a command with an empty word is not allowed".to_owned());
        }
        let Some(other) = word.chars().find(|c| !plain(*c)) else { continue };
        if !globs.contains(word) {
            return Err(format!(
                "the word `{}` contains {other:?}, which is not allowed",
                word.escape_debug()
            ));
        }
        used_globs += 1;
        if used_globs > 1 {
            return Err("a command with more than one glob is not allowed".to_owned());
        }
    }
    Ok(words.join(" "))
}
