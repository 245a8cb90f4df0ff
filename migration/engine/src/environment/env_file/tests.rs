//! `.env` files as people write them.

use super::*;

fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    parse(text, |name| (name == "HOST").then(|| "db.example.org".to_owned()))
}

fn value(line: &str) -> Result<String, String> {
    Ok(read(line)?.into_iter().next_back().unwrap_or_default().1)
}

#[test]
fn a_value_is_what_was_written() {
    for (line, wanted) in [
        ("A=abc", "abc"),
        ("A = abc  ", "abc"),
        ("  export A=abc", "abc"),
        ("export=abc", "abc"),
        ("A=", ""),
        ("A=   # nothing", ""),
        ("A=abc # a comment with a ' and a $", "abc"),
        ("A=abc#def==", "abc#def=="),
        ("A='abc #def'", "abc #def"),
        ("A=\"abc #def\" # so", "abc #def"),
        ("A='$2b$12$x\\'", "$2b$12$x\\"),
        ("A=a\\$b\\\\c\\ d", "a$b\\c d"),
        ("A=\"it's \\\"so\\\"\\n\\$1\"", "it's \"so\"\n$1"),
        ("A='one\ntwo'", "one\ntwo"),
        ("A=$HOST:5432", "db.example.org:5432"),
        ("A=\"${HOST}_x\"", "db.example.org_x"),
        ("B_C=1\nA=x${B_C}$B_C", "x11"),
        ("\u{feff}A=abc\r\n", "abc"),
        ("A=\"abc\"\r\n\r\n", "abc"),
        ("A=ключ", "ключ"),
        ("A=1\nA=1", "1"),
    ] {
        assert_eq!(value(line).as_deref(), Ok(wanted), "{line:?}");
    }
}

#[test]
fn a_value_that_could_be_cut_is_refused_and_never_shown() {
    for (line, wanted) in [
        (
            "KEY=hunter2$horse",
            "line 1, KEY, character 12: after this $ there is no variable that is set; put the whole value in single",
        ),
        ("KEY=\"hunter2$horse\"", "KEY, character 13: after this $"),
        ("KEY=hunter2${horse}", "after this $"),
        ("KEY=hunter2${HOST", "after this $"),
        ("KEY=hunter2${horse:-staple}", "after this $"),
        ("KEY=hunter2$", "after this $"),
        ("KEY=hunter2$$HOST", "after this $"),
        ("KEY=$2b$12$hunter2", "KEY, character 5: after this $"),
        ("KEY=hunter2\\", "begins an unknown escape"),
        ("KEY=hunter2\\x", "begins an unknown escape"),
        ("KEY=#hunter2", "a value that begins with #"),
        ("KEY=hunter2 horse", "a value with spaces needs quotes"),
        ("KEY=hunter2\thorse", "a value with spaces needs quotes"),
        ("KEY=hunter2\rhorse", "a value with spaces needs quotes"),
        ("KEY='hunter2", "KEY, character 5: the quote that begins here is not closed"),
        ("A=1\n\nKEY=\"hunter2\nB=2", "line 3, KEY, character 5: the quote that begins here"),
        ("KEY='hunter2'horse", "there is text after the closing quote"),
        ("KEY='hunter2'#horse", "there is text after the closing quote"),
        ("KEY=hunter2'horse'", "put the whole value in double quotes"),
        ("KEY=hunter2\"horse\"", "put the whole value in single quotes"),
        ("KEY=hunter2\0", "no variable can hold a NUL"),
        ("KEY=hunter2\nKEY=horse", "line 2, KEY, character 1: line 1 gives it another value"),
        ("hunter2", "line 1, character 8: the line does not begin with NAME="),
        ("hunter2 horse", "the line does not begin with NAME="),
        ("KEY: hunter2", "the line does not begin with NAME="),
        ("2KEY=hunter2", "the line does not begin with NAME="),
        ("export hunter2", "the line does not begin with NAME="),
        // The second line of a key that was broken.
        ("KEY=abc\nHunter2horse=='", "line 2, character 15: there is a quote"),
    ] {
        let error = read(line).unwrap_err();
        assert!(error.contains(wanted), "{line:?}: {error}");
        assert!(
            !error.to_lowercase().contains("hunter2") && !error.contains("horse") && !error.contains('\n'),
            "{error}"
        );
    }
}

#[test]
fn the_environment_gets_exactly_these_values() {
    let values = ["it's \"so\" \\ $HOME ${X} #1 \n two\r", "\\", "'", "\"", "", " x "];
    let variables: Vec<_> = values.iter().map(|value| ("A".to_owned(), (*value).to_owned())).collect();
    let text = canonical(&variables);
    let read: Vec<String> = dotenvy::from_read_iter(text.as_bytes()).map(|read| read.unwrap().1).collect();
    assert_eq!(read, values);
}
