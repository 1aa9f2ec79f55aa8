//! The digest of what decides: equal ones mean equal assessments, and what does not reach a patch does not change its own.

use proptest::prelude::*;

use super::*;

/// Everything that may differ between two runs.
#[derive(Clone, Debug)]
struct Scene {
    patch: Patch,
    sites: Vec<ReviewedSite>,
    as_of: Date,
}

impl Scene {
    fn digest(&self, rules: &Rules) -> Digest {
        Inputs::new(&Default::default(), rules, self.as_of, &Sites::new(self.sites.clone())).digest(&self.patch)
    }

    fn assess(&self, rules: &Rules) -> Assessment {
        let world = World { sites: Sites::new(self.sites.clone()), ..World::of(rules.clone()) };
        let context = Context { as_of: self.as_of, ..world.context() };
        super::super::assess(&self.patch, &place([]), "450702-20240315-0001", &context, Digest::of_bytes(b"d"))
    }
}

fn site(number: u8, east: f64, area_m2: f64, verdict: DecisionVerdict) -> ReviewedSite {
    let outline = square(108.0 + east, 22.0, 0.000_95);
    ReviewedSite { patch_id: format!("site-{number}"), outline, area_m2, verdict }
}

fn sites() -> impl Strategy<Value = Vec<ReviewedSite>> {
    let verdict = prop::sample::select(DecisionVerdict::ALL.to_vec());
    // a third of them on the patch, a third that touches it, a third that does not
    let east = prop::sample::select(vec![0.0, 0.000_5, 0.002]);
    let area = prop::sample::select(vec![5000.0, 9000.0]);
    let one = (0_u8..4, east, area, verdict);
    prop::collection::vec(one, 0..4).prop_map(|all| {
        let mut sites: Vec<ReviewedSite> =
            all.into_iter().map(|(number, east, area_m2, verdict)| site(number, east, area_m2, verdict)).collect();
        sites.sort_by(|a, b| a.patch_id.cmp(&b.patch_id));
        sites.dedup_by(|a, b| a.patch_id == b.patch_id);
        sites
    })
}

fn scenes() -> impl Strategy<Value = Scene> {
    let values = (0..3_u8, 0..3_u8, 0..2_u8, sites(), 0..800_i64);
    values.prop_map(|(class, score, fraction, sites, days)| {
        let (object_class, change_type) =
            [("pit", "no_object_to_pit"), ("cage", "no_object_to_fish_cage"), ("castle", "moon_to_castle")]
                [class as usize];
        let patch = Patch {
            review_score: [None, Some(0.5), Some(0.8)][score as usize],
            valid_fraction: [0.5, 1.0][fraction as usize],
            ..patch(object_class, change_type)
        };
        Scene { patch, sites, as_of: date(2024, 3, 15) + jiff::Span::new().days(days) }
    })
}

proptest! {
    #[test]
    fn equal_digests_mean_equal_assessments(one in scenes(), other in scenes(), same_patch in any::<bool>()) {
        let rules = rules();
        let other = if same_patch { Scene { patch: one.patch.clone(), ..other } } else { other };
        if one.digest(&rules) == other.digest(&rules) {
            prop_assert_eq!(one.assess(&rules), other.assess(&rules));
        }
        if one.assess(&rules) != other.assess(&rules) {
            prop_assert_ne!(one.digest(&rules), other.digest(&rules));
        }
    }

    /// A decision elsewhere, or a newer pass within the same row of ages, leaves the digest as it was.
    #[test]
    fn what_does_not_reach_a_patch_does_not_change_its_digest(scene in scenes(), area_m2 in 1.0..1e6, days in 0..30_i64) {
        let rules = rules();
        let mut young = Scene { as_of: date(2024, 3, 15), ..scene };
        let before = young.digest(&rules);
        young.as_of = date(2024, 3, 15) + jiff::Span::new().days(days);
        young.sites.push(site(9, 0.003, area_m2, DecisionVerdict::Problem));
        prop_assert_eq!(before, young.digest(&rules));
        young.sites.push(site(9, 0.0, area_m2, DecisionVerdict::Problem));
        prop_assert_ne!(before, young.digest(&rules));
    }
}

#[test]
fn layers_rules_and_the_outline_of_a_site_are_told_apart() {
    let rules = rules();
    let sites = vec![site(1, 0.0, 9000.0, DecisionVerdict::Problem)];
    let scene = Scene { patch: pit(), sites, as_of: date(2024, 3, 25) };
    let one = scene.digest(&rules);
    let versions = [("wetland".to_owned(), 2)].into();
    assert_ne!(Inputs::new(&versions, &rules, scene.as_of, &Sites::new(scene.sites.clone())).digest(&scene.patch), one);
    let others = with(|files| files.assessment.baseline_date = Some("2018-12-31".to_owned()));
    assert_ne!(scene.digest(&others), one);
    let mut corrected = scene.clone();
    corrected.sites[0].outline = square(108.0, 22.0, 0.000_5);
    assert_ne!(corrected.digest(&rules), one, "an outline that was corrected is another site");
    let moved = Scene { patch: Patch { geometry: square(108.0, 22.0, 0.000_9), ..pit() }, ..scene.clone() };
    assert_ne!(moved.digest(&rules), one);
    let mut own = scene.clone();
    own.sites[0].patch_id.clone_from(&own.patch.patch_id);
    assert_ne!(own.digest(&rules), Scene { sites: vec![], ..scene }.digest(&rules), "it was decided on itself");
}
