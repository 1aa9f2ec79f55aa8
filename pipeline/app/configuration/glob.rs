//! File name patterns: `*` for any run of characters, `?` for one, `**` for folders of any depth.

use std::io;
use std::path::{Component, Path, PathBuf};

/// True where the whole of `name` matches `pattern` (`*`, `?`; everything else stands for itself).
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // the last `*` and how much of the name it has taken so far
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// The files and folders that match a pattern, in order of name. Names that begin with a dot match only a pattern
/// that does so too; `**` does not follow links.
///
/// # Errors
/// A folder that is there cannot be listed.
pub(super) fn expand(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let mut next = Vec::new();
        let text = component.as_os_str().to_string_lossy();
        for base in found {
            if text == "**" {
                folders_below(base, &mut next)?;
            } else if matches!(component, Component::Normal(_)) && text.contains(['*', '?']) {
                for name in names_in(&base)? {
                    if matches(&text, &name) && (!name.starts_with('.') || text.starts_with('.')) {
                        next.push(base.join(name));
                    }
                }
            } else {
                next.push(base.join(component));
            }
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found.sort();
    found.dedup();
    Ok(found)
}

/// All files below a folder, in order of name.
///
/// # Errors
/// A folder that is there cannot be listed.
pub(super) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    folders_below(folder.to_owned(), &mut folders)?;
    let mut files = Vec::new();
    for folder in folders {
        files.extend(names_in(&folder)?.into_iter().map(|name| folder.join(name)).filter(|path| path.is_file()));
    }
    files.sort();
    Ok(files)
}

fn folders_below(base: PathBuf, out: &mut Vec<PathBuf>) -> io::Result<()> {
    for name in names_in(&base)? {
        let path = base.join(name);
        if path.is_dir() && !path.is_symlink() {
            folders_below(path, out)?;
        }
    }
    out.push(base);
    Ok(())
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        // a name that is not UTF-8 matches no pattern
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The meaning of patterns, slowly.
    fn matches_by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], rest) => rest.is_empty(),
            (['*', after @ ..], _) => (0..=name.len()).any(|taken| matches_by_definition(after, &name[taken..])),
            ([c, after @ ..], [first, rest @ ..]) => (*c == '?' || c == first) && matches_by_definition(after, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_say(pattern in "[ab*?]{0,8}", name in "[ab]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), matches_by_definition(&chars(&pattern), &chars(&name)));
        }
    }

    #[test]
    fn stars_and_question_marks() {
        let check = |pattern, name, expected| assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        check("*.tif", "1985.tif", true);
        check("*.tif", "1985.tiff", false);
        check("T*_B04_10m.jp2", "T49QGE_20240315T030539_B04_10m.jp2", true);
        check("T*_B04.*", "MSK_DETFOO_B04.jp2", false);
        check("????.tif", "1985.tif", true);
        check("*_N05*", "S2B_MSIL2A_20240315T030539_N0510_R075.SAFE", true);
        check("a*b*c", "aXbXbc", true);
        check("a*b*c", "aXcXb", false);
        check("", "", true);
        check("*", "", true);
        check("水*.tif", "水库.tif", true);
    }

    #[test]
    fn folders_of_any_depth() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a/1.tif", "a/b/2.tif", "a/b/.3.tif", "c/4.tif"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "x").expect("a file");
        }
        let check = |pattern: &str, expected: &[&str]| {
            let got = expand(&folder.path().join(pattern)).expect("a listing");
            let expected: Vec<_> = expected.iter().map(|name| folder.path().join(name)).collect();
            assert_eq!(got, expected, "{pattern}");
        };
        check("*/*.tif", &["a/1.tif", "c/4.tif"]);
        check("**/*.tif", &["a/1.tif", "a/b/2.tif", "c/4.tif"]);
        check("a/b/2.tif", &["a/b/2.tif"]);
        check("a/*", &["a/1.tif", "a/b"]);
        check("nowhere/*.tif", &[]);
        assert_eq!(files_below(folder.path()).expect("a listing").len(), 4);
    }
}
