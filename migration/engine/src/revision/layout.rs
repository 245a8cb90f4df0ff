//! Puts the code of a migration into a file: comment, imports, `up`, `down`, functions.

/// The body of `up` or `down`.
pub(super) struct Body {
    /// The name of the parameter: `_manager` if the code does not use it.
    pub(super) manager: &'static str,
    pub(super) code: Vec<String>,
}

/// The widest line, in characters.
const WIDTH: usize = 120;

/// The file. `functions` are the lines of each function.
pub(super) fn layout(
    header: &[String],
    operations: Option<String>,
    up: &Body,
    down: &Body,
    functions: &[Vec<String>],
) -> String {
    let mut text = String::new();
    for line in header {
        for line in wrap(line, WIDTH - 5) {
            text.push_str(format!("//! {line}").trim_end());
            text.push('\n');
        }
    }
    text.push('\n');
    for line in operations.iter().map(String::as_str).chain(["use sea_orm_migration::prelude::*;"]) {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str("\n#[derive(DeriveMigrationName)]\npub(crate) struct Migration;\n\n");
    text.push_str("#[async_trait::async_trait]\nimpl MigrationTrait for Migration {\n");
    for (name, body) in [("up", up), ("down", down)] {
        text.push_str(&format!(
            "    async fn {name}(&self, {}: &SchemaManager) -> Result<(), DbErr> {{\n{}    }}\n\n",
            body.manager,
            indent(&body.code, 2)
        ));
    }
    text.push_str("    fn use_transaction(&self) -> Option<bool> {\n        Some(true)\n    }\n}\n");
    for function in functions {
        text.push_str(&format!("\n{}", indent(function, 0)));
    }
    text
}

/// Indents the code by its braces, and a call that starts with a dot by one level more.
fn indent(code: &[String], level: usize) -> String {
    let mut text = String::new();
    let mut level = level;
    for line in code {
        if line.starts_with('}') {
            level -= 1;
        }
        let width = 4 * (level + usize::from(line.starts_with('.')));
        let lines = match line.strip_prefix("// ") {
            Some(comment) => wrap(comment, WIDTH - 3 - width).into_iter().map(|line| format!("// {line}")).collect(),
            None => vec![line.clone()],
        };
        for line in lines {
            text.push_str(&format!("{}{line}\n", " ".repeat(width)));
        }
        if line.ends_with('{') {
            level += 1;
        }
    }
    text
}

/// Breaks a comment into lines of at most `width` characters.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(if line.starts_with("- ") { format!("  {word}") } else { word.to_owned() }),
        }
    }
    lines
}
