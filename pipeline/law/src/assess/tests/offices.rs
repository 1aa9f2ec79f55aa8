//! Chiefs and departments of the day.

use super::*;

fn chief(name: &str, level: AdministrativeLevel, of: &str, from: Option<&str>, to: Option<&str>) -> Chief {
    let day = |text: Option<&str>| text.map(|text| text.parse().expect("a date"));
    Chief {
        level,
        in_charge_of: of.to_owned(),
        name: name.to_owned(),
        title: None,
        telephone: None,
        valid: Period { from: day(from), to: day(to) },
    }
}

#[test]
fn chiefs_are_those_of_the_day_even_where_one_hands_over_on_it() {
    let mut world = World::plain();
    let level = AdministrativeLevel::County;
    world.offices.chiefs = vec![
        chief("old", level, "WR", None, Some("2024-03-15")),
        chief("new", level, "WR", Some("2024-03-15"), None),
        chief("of the water", AdministrativeLevel::City, "W", None, None),
        chief("gone", AdministrativeLevel::Town, "450702001", None, Some("2024-03-14")),
    ];
    let unit = |code: &str, level| hit(code, 1.0, LayerFacts::AdministrativeUnit { level, parent: None });
    let mut place = place([(
        LayerKind::AdministrativeUnit,
        vec![unit("450702", AdministrativeLevel::County), unit("450702001", AdministrativeLevel::Town)],
    )]);
    place.position = Some(Position {
        water_code: "W".to_owned(),
        water_name: "青龙河".to_owned(),
        water_kind: WaterKind::River,
        basin: Some("珠江".to_owned()),
        reach_code: "WR".to_owned(),
        reach_name: "WR".to_owned(),
        bank: Some(Bank::Right),
        chainage_m: 12_345.4,
        distance_m: 80.0,
    });
    let of = |world: &World, post_date: &str| {
        world.assess(&Patch { post_date: post_date.parse().expect("a time"), ..pit() }, &place)
    };
    let told = of(&world, "2024-03-15T03:00:00Z");
    assert_eq!(told.chief_county.as_deref(), Some("new"));
    assert_eq!(told.chief_city.as_deref(), Some("of the water"));
    assert_eq!(told.chief_town, None);
    assert!(told.explanation.notes.contains(&Note::NoChief { level: AdministrativeLevel::Town, gap: true }));
    assert!(told.explanation.notes.contains(&Note::NoChief { level: AdministrativeLevel::Village, gap: false }));
    let handing_over = Note::SeveralChiefs { level, in_charge_of: "WR".to_owned(), count: 2 };
    assert!(told.explanation.notes.contains(&handing_over));
    assert_eq!(of(&world, "2024-03-14T03:00:00Z").chief_county.as_deref(), Some("old"));
    // 17:00 in UTC is one in the morning of the next day in Beijing
    assert_eq!(of(&world, "2024-03-14T17:00:00Z").chief_county.as_deref(), Some("new"));
    world.offices.departments = vec![
        department("D1", "450702", DepartmentRole::Lead, &[], &[]),
        department("D2", "450702", DepartmentRole::Lead, &[], &["water_source:first"]),
        department("D3", "450702", DepartmentRole::Supporting, &["mining"], &[]),
        department("D4", "450702", DepartmentRole::Supporting, &["dumping"], &[]),
    ];
    let told = of(&world, "2024-03-15T03:00:00Z");
    assert_eq!(
        (told.lead_department.as_deref(), told.supporting_departments.as_slice()),
        (Some("D1"), ["D3".to_owned()].as_slice())
    );
    world.offices.departments.push(department("B", "珠江", DepartmentRole::BasinAuthority, &[], &[]));
    let told = of(&world, "2024-03-15T03:00:00Z");
    assert_eq!(told.lead_department.as_deref(), Some("B"));
    assert_eq!(told.supporting_departments, ["D1", "D3"]);
    let text = explain::text(&told, Language::English);
    assert!(text.contains("K12+345") && text.contains("right bank") && text.contains("basin 珠江: B leads"), "{text}");
}

fn department(code: &str, serves: &str, role: DepartmentRole, classes: &[&str], zones: &[&str]) -> Department {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Department {
        code: code.to_owned(),
        name: code.to_owned(),
        serves: serves.to_owned(),
        role,
        issue_classes: owned(classes),
        zones: owned(zones),
        valid: Period::default(),
    }
}

#[test]
fn routes_by_class_and_zone_stand_in_for_departments() {
    let world = World::plain();
    let told = world.assess(&pit(), &place([]));
    assert_eq!(told.lead_department.as_deref(), Some("水利局"));
    let wetland = place([(LayerKind::Wetland, vec![hit("M", 0.4, LayerFacts::Wetland { grade: None })])]);
    assert_eq!(world.assess(&pit(), &wetland).lead_department.as_deref(), Some("林业局"));
}
