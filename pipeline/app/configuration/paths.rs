//! Paths as the user typed them: variables from the environment, and relative to the configuration file.

use std::path::{Component, Path, PathBuf};

/// Looks a variable up; the process's environment in the program, a map in tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Puts variables into a text: `${NAME}` and `${NAME:-default}`, `$$` for a dollar sign.
///
/// An unset or empty variable without a default is an error: half a path would point somewhere else.
pub(super) fn substitute(text: &str, environment: Environment<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some((inside, after)) = rest.strip_prefix('{').and_then(|inside| inside.split_once('}')) else {
            return Err("`$` must begin `${NAME}` or `${NAME:-default}`; write `$$` for a dollar sign".to_owned());
        };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("{name:?} is no name of an environment variable"));
        }
        let value = environment(name).filter(|value| !value.is_empty());
        match value.as_deref().or(default) {
            Some(value) => out += value,
            None => return Err(format!("the environment variable {name} is not set")),
        }
        rest = after;
    }
    Ok(out + rest)
}

/// The path that the program opens: variables put in, relative to `base`.
pub(super) fn resolve(text: &str, base: &Path, environment: Environment<'_>) -> Result<PathBuf, String> {
    let text = substitute(text, environment)?;
    if text.trim().is_empty() {
        return Err("a path must not be empty".to_owned());
    }
    if text.starts_with("/vsi") || text.contains("://") {
        return Err(format!("{text:?} is no path of this machine; archives and network addresses are not opened"));
    }
    Ok(tidied(&base.join(text)))
}

/// The path without `.` and without `folder/..`, except where `folder` is a link.
fn tidied(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        let collapses = component == Component::ParentDir
            && matches!(out.components().next_back(), Some(Component::Normal(_)))
            && !out.is_symlink();
        match component {
            Component::CurDir => {}
            Component::ParentDir if collapses => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "DATA" => Some("/data".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_put_in() {
        let check = |text: &str, expected: Result<&str, &str>| match (substitute(text, &environment), expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(got), Err(part)) => assert!(got.contains(part), "{got:?} should say {part:?}"),
            (got, expected) => panic!("{text:?}: expected {expected:?}, got {got:?}"),
        };
        check("plain/*.tif", Ok("plain/*.tif"));
        check("${DATA}/a/${DATA}", Ok("/data/a//data"));
        check("${NONE:-../x}/a", Ok("../x/a"));
        check("${EMPTY:-y}", Ok("y"));
        check("${DATA:-y}", Ok("/data"));
        check("a$$b", Ok("a$b"));
        check("${NONE}/a", Err("NONE is not set"));
        check("${EMPTY}/a", Err("EMPTY is not set"));
        check("$DATA/a", Err("${NAME}"));
        check("${DATA", Err("${NAME}"));
        check("${D A}", Err("no name"));
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let check = |text: &str, expected: &str| {
            let got = resolve(text, Path::new("no-such/nest"), &environment).expect("a path");
            assert_eq!(got, Path::new(expected));
        };
        check("../../out/demo", "out/demo");
        check("../../../shared/data", "../shared/data");
        check("./a.toml", "no-such/nest/a.toml");
        check("${DATA}/./x", "/data/x");
        check("../..", ".");
        assert!(resolve("/vsicurl/x", Path::new("."), &environment).is_err());
        assert!(resolve("https://x/y.tif", Path::new("."), &environment).is_err());
    }
}
