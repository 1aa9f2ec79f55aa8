use super::*;

/// The built-in rules.
pub(crate) fn files() -> Files {
    fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
        toml::from_str(text).unwrap_or_else(|fault| panic!("{fault}"))
    }
    Files {
        vocabulary: read(include_str!("../../../../configs/rules/vocabulary.toml")),
        issues: read(include_str!("../../../../configs/rules/issues.toml")),
        severity: read(include_str!("../../../../configs/rules/severity.toml")),
        offices: read(include_str!("../../../../configs/rules/offices.toml")),
        assessment: read(include_str!("../../../../configs/rules/assessment.toml")),
        ledger: read(include_str!("../../../../configs/rules/ledger.toml")),
        national: read(include_str!("../../../../configs/rules/national.toml")),
    }
}

fn faults(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = files();
    change(&mut files);
    Rules::check(&files).expect_err("refused").iter().map(ToString::to_string).collect()
}

#[test]
fn the_built_in_rules_hold_together() {
    let rules = Rules::check(&files())
        .unwrap_or_else(|faults| panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
    assert!(rules.issues.rows.len() > 10 && rules.ledger.len() > 40);
    for sub_type in SubType::ALL.into_iter().filter(|sub_type| *sub_type != SubType::Rubbish) {
        let named = rules.issues.rows.iter().any(|row| row.outcome.sub_type == Some(sub_type));
        assert!(named, "no row says {sub_type}; rubbish alone is left to the person on the spot");
    }
}

#[test]
fn every_built_in_row_tells_its_reason_and_name_in_both_languages() {
    let rules = Rules::check(&files()).expect("rules");
    fn told<O>(table: &Table<O>) -> Vec<(&Wording, Option<&String>)> {
        table.rows.iter().map(|row| (&row.reason, row.chinese_name.as_ref())).collect()
    }
    let is_chinese = |text: &str| text.chars().any(|one| ('\u{4E00}'..='\u{9FFF}').contains(&one));
    for (reason, name) in [told(&rules.issues), told(&rules.severity), told(&rules.routing)].concat() {
        assert!(is_chinese(&reason.chinese) && !is_chinese(&reason.english), "{reason:?}");
        assert!(name.is_some_and(|name| is_chinese(name)), "the row of {reason:?} has no Chinese name");
    }
}

#[test]
fn unknown_words_are_named_with_their_place() {
    let mut typed = files();
    typed.issues.issues[0].object_classes.push("pitt".to_owned());
    let faults = Rules::check(&typed).expect_err("refused");
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!(fault.at, [Step::Key("issues"), Step::Item(0), Step::Key("object_classes"), Step::Item(5)]);
    assert!(fault.message.contains("pitt") && fault.help.contains("pit, "), "{fault}");
}

#[test]
fn rows_that_can_never_fire_are_refused() {
    let faults = faults(|files| {
        let general = files.issues.issues.iter().position(|row| row.name == "soil_taking").expect("a row");
        let row = IssueRow {
            name: "late".to_owned(),
            permit: vec!["none".to_owned()],
            ..files.issues.issues[general].clone()
        };
        files.issues.issues.push(row);
    });
    assert!(
        faults.iter().any(|fault| fault.contains("\"late\" can never fire") && fault.contains("soil_taking")),
        "{faults:?}"
    );
}

#[test]
fn rows_that_contradict_one_another_must_say_which_goes_first() {
    let faults = faults(|files| files.issues.issues.iter_mut().for_each(|row| row.goes_before.clear()));
    assert_eq!(faults.len(), 8, "{faults:?}");
    let wanted = "goes_before = [\"mining_not_as_permitted\"] in \"mining_in_forbidden_area\"";
    assert!(faults.iter().any(|fault| fault.contains(wanted)), "{faults:?}");
}

#[test]
fn sub_types_belong_to_their_class() {
    let of = |change: fn(&mut IssueRow)| faults(|files| change(&mut files.issues.issues[0]));
    assert!(of(|row| row.sub_type = Some("4a".to_owned()))[0].contains("4a is of construction, not of mining"));
    assert!(of(|row| row.sub_type = Some("9z".to_owned()))[0].contains("no sub-type"));
    assert!(of(|row| row.sub_type = None)[0].contains("needs a sub-type"));
    assert!(of(|row| row.issue_class = "theft".to_owned())[0].contains("no issue class"));
    let severity = faults(|files| files.severity.severity[2].sub_types.push("2a".to_owned()));
    assert!(severity.iter().any(|fault| fault.contains("sub-type 2a is of mining")), "{severity:?}");
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let of = |change: fn(&mut Files)| faults(change).join("\n");
    assert!(of(|files| files.assessment.baseline_date = Some("2018-13-31".to_owned())).contains("no date"));
    assert!(of(|files| files.severity.severity[3].major_above_m2 = 1.0).contains("lies below"));
    assert!(of(|files| files.assessment.priority.age.swap(0, 2)).contains("must rise"));
    assert!(of(|files| files.assessment.permit_touched_share_min = 0.99).contains("not below"));
    assert!(of(|files| files.assessment.priority.zone[0].zone = "moon".to_owned()).contains("no zone"));
    assert!(
        of(|files| files.severity.severity.retain(|row| row.name != "mining"))
            .contains("no row decides for \"mining\"")
    );
    assert!(
        of(|files| {
            files.offices.routing.pop();
        })
        .contains("no row decides for \"undetermined\"")
    );
    assert!(of(|files| files.ledger.columns[0].field = "nummer".to_owned()).contains("no field of the ledger"));
    assert!(of(|files| drop(files.national.outcome_codes.pop())).contains("\"not_matched\" has no code"));
    let twice = of(|files| files.vocabulary.shoreline_zones[1].terms.push("保护区".to_owned()));
    assert!(twice.contains("one kind of zone"), "{twice}");
}

#[test]
fn basin_authorities_that_never_come_into_play_are_refused() {
    let row = |name: &str, severity: Option<&str>| BasinRow {
        name: name.to_owned(),
        chinese_name: None,
        basins: vec!["珠江".to_owned()],
        from_severity: severity.map(str::to_owned),
        authority: "珠江水利委员会".to_owned(),
        reason: Reason::One("trunk".to_owned()),
    };
    let of = |rows: Vec<BasinRow>| {
        let mut files = files();
        files.offices.basin_authorities = rows;
        Rules::check(&files)
    };
    assert!(of(vec![row("major", Some("major")), row("all", None)]).is_ok());
    let faults = of(vec![row("all", None), row("major", Some("major"))]).expect_err("refused");
    assert!(faults[0].message.contains("\"major\" can never fire"), "{faults:?}");
    assert!(of(vec![row("bad", Some("awful"))]).expect_err("refused")[0].message.contains("no severity"));
}

#[test]
fn what_decides_changes_the_digest_and_headers_do_not() {
    let digest = |change: fn(&mut Files)| {
        let mut files = files();
        change(&mut files);
        Rules::check(&files).expect("rules").digest
    };
    let plain = digest(|_| ());
    assert_eq!(plain, digest(|files| files.ledger.columns[0].english = "No.".to_owned()));
    assert_ne!(plain, digest(|files| files.assessment.growth_share_min = 0.3));
}

#[test]
fn change_types_are_taken_apart_by_the_words_of_the_model() {
    let rules = Rules::check(&files()).expect("rules");
    assert_eq!(rules.vocabulary.sides("low_vegetation_to_built_up"), Some(("low_vegetation", "built_up")));
    assert_eq!(rules.vocabulary.sides("moon_to_built_up"), None);
}
