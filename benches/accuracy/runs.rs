//! What a disturbed copy of a pass opens in runs of the program itself: the last pass of each set beside a copy of itself. A pass with
//! planted things shows that these runs would open something.

use std::error::Error;

use serde_json::{Value, json};

use crate::program::{SETS, Set, run};
use crate::scenes::{self, Disturbance, Kit, Read, Scene};

/// Patches and suppressed places by set, and by what was done to the later date.
pub(crate) fn opened(kit: &Kit, all: &[Scene]) -> Result<Value, Box<dyn Error>> {
    let mut rows = serde_json::Map::new();
    for set in &SETS {
        let scene = all.iter().rev().find(|scene| scene.set == set.name).ok_or("no pair of the set")?;
        let read = scene.read(kit).map_err(|fault| fault.to_string())?;
        let (planted, _) = scenes::plant(kit, &read.against_itself(), 0).map_err(|fault| fault.to_string())?;
        let mut of_set = serde_json::Map::new();
        of_set.insert("planted".to_owned(), counts(&planted, set)?);
        for disturbance in Disturbance::ALL {
            let disturbed = disturbance.applied(read.against_itself());
            of_set.insert(disturbance.name().to_owned(), counts(&disturbed, set)?);
        }
        rows.insert(set.name.to_owned(), Value::Object(of_set));
    }
    Ok(Value::Object(rows))
}

fn counts(read: &Read, set: &Set) -> Result<Value, Box<dyn Error>> {
    let summary = run(&[("2024-06-01", &read.before[0]), ("2024-06-11", &read.after)], set)?.summary;
    Ok(json!({ "patches": summary["patches_current"], "suppressed": summary["suppressed"] }))
}
