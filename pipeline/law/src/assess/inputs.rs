//! What an assessment is a function of, as a digest: of everything that decides only what reaches the patch. Equal digests mean
//! equal assessments, so that a new decision or a newer pass judges anew what it can touch and nothing else.

use geo_types::Polygon;
use jiff::civil::Date;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::law::place::Versions;
use shorewatch_domain::patch::Patch;

use super::age;
use crate::known::Sites;
use crate::rules::Rules;

/// Digest of what every patch and project shares: layers in force, rules, program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared(pub(crate) Digest);

impl Shared {
    pub(crate) fn of(versions: &Versions, rules: &Rules) -> Self {
        let layers = versions.iter().fold(DigestBuilder::new("shared by assessments"), |builder, (layer, version)| {
            builder.field("layer", layer).field("version", version.to_string())
        });
        Self(layers.digest("rules", &rules.digest).field("program", env!("CARGO_PKG_VERSION")).finish())
    }
}

/// Everything that decides but the patch itself, ready to be told apart patch by patch.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    shared: Shared,
    rules: &'a Rules,
    as_of: Date,
    sites: &'a Sites,
}

impl<'a> Inputs<'a> {
    /// Takes the versions of the layers in force, the rules, the day that ages are reckoned to, and the reviewed sites.
    #[must_use]
    pub fn new(versions: &Versions, rules: &'a Rules, as_of: Date, sites: &'a Sites) -> Self {
        Self { shared: Shared::of(versions, rules), rules, as_of, sites }
    }

    /// Digest of what the assessment of a patch is a function of. Its number is left out: it is given once and stays. Whether
    /// somebody decided on the patch is in it, since only then a number that stands in for a better one is kept.
    #[must_use]
    pub fn digest(&self, patch: &Patch) -> Digest {
        let ages = &self.rules.settings.priority.age;
        let age = age::row(ages, self.rules.local_day(patch.post_date), self.as_of);
        let builder = of_patch(DigestBuilder::new("assessment").digest("shared", &self.shared.0), patch)
            .field("age", age::words(ages, age))
            .field("decided", [u8::from(self.sites.contains(&patch.patch_id))]);
        let earlier = self.sites.met(&patch.geometry).into_iter().filter(|site| site.patch_id != patch.patch_id);
        earlier
            .fold(builder, |builder, site| {
                let builder = builder.field("site", &site.patch_id).field("verdict", site.verdict.name());
                of_outline(builder.number("area", site.area_m2), &site.outline)
            })
            .finish()
    }
}

/// Every field of a patch that an assessment reads. A new field has to be put on one side or the other.
fn of_patch(builder: DigestBuilder, patch: &Patch) -> DigestBuilder {
    let Patch {
        patch_id,
        reach_id: _,
        reach_name: _,
        object_class,
        change_type,
        suspected_issue_class,
        geometry,
        area_m2,
        perimeter_m: _,
        centre: _,
        confidence,
        confidence_max: _,
        valid_fraction,
        review_score,
        change_score: _,
        evidence,
        coreg_rmse_px: _,
        pre_date,
        post_date,
        pre_pass_id,
        post_pass_id,
        pre_sensor,
        post_sensor,
        grid_epsg: _,
        ground_sampling_distance_m: _,
        pixel_count: _,
        model_name,
        model_version,
        model_digest,
        configuration_digest,
        program_version,
    } = patch;
    let builder = builder
        .field("patch", patch_id)
        .field("object class", object_class)
        .field("change type", change_type)
        .field("suspected", suspected_issue_class.name())
        .number("area", *area_m2)
        .number("confidence", *confidence)
        .number("valid fraction", *valid_fraction)
        .field("pre date", pre_date.to_string())
        .field("post date", post_date.to_string())
        .digest("pre pass", pre_pass_id)
        .digest("post pass", post_pass_id)
        .field("pre sensor", pre_sensor)
        .field("post sensor", post_sensor)
        .field("model name", model_name)
        .field("model version", model_version)
        .digest("model", model_digest)
        .digest("configuration", configuration_digest)
        .field("found by", program_version);
    let builder = review_score.iter().fold(builder, |builder, score| builder.number("review score", *score));
    let builder =
        evidence.iter().fold(builder, |builder, (kind, moved)| builder.field("evidence", kind).number("moved", *moved));
    of_outline(builder, geometry)
}

pub(crate) fn of_outline(builder: DigestBuilder, outline: &Polygon<f64>) -> DigestBuilder {
    std::iter::once(outline.exterior()).chain(outline.interiors()).fold(builder, |builder, ring| {
        let corners = ring.0.iter().flat_map(|corner| [corner.x, corner.y]);
        builder.field("ring", corners.flat_map(|value| value.to_bits().to_le_bytes()).collect::<Vec<u8>>())
    })
}
