//! Tells code, comments and strings of Rust and JavaScript apart, as far as the other checks need
//! it.

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    BlockComment,
    Text { quote: char },
    RawText { hashes: usize },
}

/// The text twice, with the lines as they were: only its code, and only its comments. Everything
/// else is blank.
pub fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::with_capacity(text.len()), String::new());
    let (mut state, mut at) = (State::Code, 0);
    while at < chars.len() {
        let (next, length) = step(state, &chars[at..], at.checked_sub(1).map(|before| chars[before]));
        let is_comment = |state| matches!(state, State::LineComment | State::BlockComment);
        for &char in &chars[at..at + length] {
            let shown = |shows: bool| if shows || char == '\n' { char } else { ' ' };
            code.push(shown(state == State::Code && next == State::Code));
            comments.push(shown(is_comment(state) || is_comment(next)));
        }
        (state, at) = (next, at + length);
    }
    (code, comments)
}

/// The state after the next characters, and how many those are.
fn step(state: State, rest: &[char], before: Option<char>) -> (State, usize) {
    match state {
        State::Code => enter(rest, before),
        State::LineComment if rest[0] == '\n' => (State::Code, 1),
        State::BlockComment if rest.starts_with(&['*', '/']) => (State::Code, 2),
        State::Text { .. } if rest[0] == '\\' && rest.len() > 1 => (state, 2),
        State::Text { quote } if rest[0] == quote => (State::Code, 1),
        State::RawText { hashes } if rest[0] == '"' && raw_hashes(&rest[1..]) >= hashes => (State::Code, 1 + hashes),
        _ => (state, 1),
    }
}

fn enter(rest: &[char], before: Option<char>) -> (State, usize) {
    let in_word = before.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let raw_at = rest.iter().position(|&char| char != 'b' && char != 'r').unwrap_or(0);
    let hashes = raw_hashes(&rest[raw_at..]);
    match rest {
        ['/', '/', ..] => (State::LineComment, 2),
        ['/', '*', ..] => (State::BlockComment, 2),
        ['r' | 'b', ..] if !in_word && rest[..raw_at].contains(&'r') && rest.get(raw_at + hashes) == Some(&'"') => {
            (State::RawText { hashes }, raw_at + hashes + 1)
        }
        ['"' | '`', ..] => (State::Text { quote: rest[0] }, 1),
        ['\'', '\\', ..] => (State::Text { quote: '\'' }, 1),
        // A lifetime has no second quote.
        ['\'', _, '\'', ..] => (State::Text { quote: '\'' }, 1),
        _ => (State::Code, 1),
    }
}

fn raw_hashes(chars: &[char]) -> usize {
    chars.iter().take_while(|&&char| char == '#').count()
}

/// The identifiers of a text of code, with their line from 1.
pub fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    code.lines().enumerate().flat_map(move |(index, line)| {
        line.split(move |char| !is_part(char)).filter(|word| !word.is_empty()).map(move |word| (index + 1, word))
    })
}

#[test]
fn code_comments_and_strings_are_told_apart() {
    let (code, comments) = split("a('x', \"// b\"); // c\nr#\"d \"e\"# f<'g>");
    let words = |text: &str| identifiers(text).map(|(line, word)| format!("{line}{word}")).collect::<Vec<_>>();
    assert_eq!((words(&code), words(&comments)), (["1a", "2f", "2g"].map(String::from).to_vec(), vec!["1c".into()]));
}
