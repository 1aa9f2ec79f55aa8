//! The architecture as a test: which crate may depend on which, and who alone names GDAL and torch.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Normal dependencies of every workspace member, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs");
    metadata
        .packages
        .iter()
        .map(|package| {
            let names = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
            (package.name.to_string(), names.map(|dependency| dependency.name.clone()).collect())
        })
        .collect()
}

#[test]
fn arrows_point_to_the_domain() {
    let dependencies = dependencies();
    let ours = |name: &str| -> Vec<&str> {
        dependencies[name]
            .iter()
            .filter(|dependency| dependency.starts_with("shorewatch"))
            .map(String::as_str)
            .collect()
    };
    assert_eq!(ours("shorewatch-domain"), [""; 0]);
    assert_eq!(ours("shorewatch-imagery"), ["shorewatch-domain"]);
    assert_eq!(ours("shorewatch-models"), ["shorewatch-domain", "shorewatch-torchscript"]);
    assert_eq!(ours("shorewatch-torchscript"), [""; 0]);
    assert_eq!(ours("shorewatch-store"), ["shorewatch-domain"]);
    assert_eq!(ours("shorewatch-law"), ["shorewatch-domain"]);
    assert_eq!(ours("shorewatch-findings"), ["shorewatch-domain", "shorewatch-imagery", "shorewatch-store"]);
    assert_eq!(ours("shorewatch-review"), ["shorewatch-domain", "shorewatch-imagery", "shorewatch-store"]);
    assert_eq!(ours("shorewatch-evaluation"), [""; 0]);
    assert_eq!(ours("shorewatch-report"), [""; 0]);
    assert_eq!(ours("shorewatch-synth"), [""; 0]);
    assert_eq!(
        ours("shorewatch"),
        [
            "shorewatch-domain",
            "shorewatch-evaluation",
            "shorewatch-findings",
            "shorewatch-imagery",
            "shorewatch-law",
            "shorewatch-models",
            "shorewatch-report",
            "shorewatch-review",
            "shorewatch-store",
            "shorewatch-synth"
        ]
    );
}

#[test]
fn each_native_library_has_one_crate() {
    let dependencies = dependencies();
    let users = |library: &str| -> Vec<&str> {
        dependencies.iter().filter(|(_, names)| names.contains(library)).map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(users("gdal"), ["shorewatch-imagery"]);
    assert_eq!(users("gdal-sys"), ["shorewatch-imagery"]);
    assert_eq!(users("tch"), ["shorewatch-torchscript"]);
    assert_eq!(users("rusqlite"), ["shorewatch-store"]);
}

#[test]
fn the_domain_touches_no_files_threads_or_clock() {
    let forbidden = ["rayon", "gdal", "gdal-sys", "tch", "tokio", "rusqlite", "tempfile"];
    let domain = &dependencies()["shorewatch-domain"];
    assert!(forbidden.iter().all(|name| !domain.contains(*name)), "the domain depends on {domain:?}");

    let words = ["std::fs", "std::thread", "std::net", "std::process", "std::time", "Timestamp::now", "Zoned::now"];
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/pipeline/domain/src"))];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the domain's sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source file");
            seen += 1;
            for word in words {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
    }
    assert!(seen > 10, "only {seen} source files of the domain were found");
}
