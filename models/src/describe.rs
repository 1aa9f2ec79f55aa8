//! A bundle as a readable table, for `shorewatch model inspect`.

use std::fmt::Write as _;

use crate::bundle::Bundle;
use crate::manifest::{ClassDefinition, Manifest};
use crate::segmenter::role_names;

impl Bundle {
    /// Everything worth knowing about the model, as lines of plain text.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        // writing into a String cannot fail
        let _ = self.write_description(&mut text);
        text
    }

    fn write_description(&self, out: &mut String) -> std::fmt::Result {
        let manifest = self.manifest();
        let input = &manifest.input;
        writeln!(out, "{} {}: {}", manifest.name, manifest.version, manifest.title)?;
        for line in manifest.description.trim().lines() {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
        writeln!(out, "kind               {} ({})", manifest.kind.name(), manifest.kind.meaning())?;
        writeln!(out, "digest             {}", self.digest())?;
        for form in &manifest.weights {
            let mib = form.size_bytes as f64 / 1_048_576.0;
            let (file, format) = (&form.file, form.format.name());
            writeln!(out, "weights            {file} ({format}, {mib:.1} MiB, verified)")?;
        }
        writeln!(out, "needs              shorewatch {} or newer", manifest.minimum_program_version)?;
        writeln!(
            out,
            "pixel              {} m to {} m",
            input.ground_sampling_distance_min_m, input.ground_sampling_distance_max_m
        )?;
        writeln!(
            out,
            "tile               {0} × {0} px, halo {1} px, alignment {2} px",
            input.tile_px, input.halo_px, input.alignment_px
        )?;
        writeln!(out, "\nband           mean {}  standard deviation", input.units)?;
        for band in &input.bands {
            writeln!(out, "  {:<12} {:>16.4}  {:>18.4}", band.role.name(), band.mean, band.standard_deviation)?;
        }
        writeln!(out, "\nset of bands      mean IoU  bands")?;
        for set in &input.band_sets {
            writeln!(out, "  {:<16} {:>7.3}  {}", set.name, set.mean_iou, role_names(&set.roles))?;
        }
        for (head, classes) in manifest.output.heads.iter().zip(manifest.head_classes()) {
            let bias: Vec<_> = head.bias.iter().map(|bias| format!("{bias:.3}")).collect();
            writeln!(out, "\n{}: softmax(logits / {} + [{}])", head.name, head.temperature, bias.join(", "))?;
            Self::write_classes(manifest, &manifest.classes[classes], out)?;
        }
        writeln!(out, "\nscores, on places that were not trained on")?;
        let of_water = manifest.scores.water_iou.map(|value| ("water IoU", value));
        let named = [
            ("mean IoU", manifest.scores.mean_iou),
            ("expected calibration error", manifest.scores.expected_calibration_error),
        ];
        let further = manifest.scores.further.iter().map(|(name, value)| (name.as_str(), *value));
        for (name, value) in of_water.into_iter().chain(named).chain(further) {
            writeln!(out, "  {name:<32} {value:.4}")?;
        }
        writeln!(out, "\ntrained on")?;
        for set in &manifest.training_data {
            writeln!(out, "  {} ({})\n    {}\n    {}", set.name, set.licence, set.source, set.note)?;
        }
        Ok(())
    }

    fn write_classes(manifest: &Manifest, classes: &[ClassDefinition], out: &mut String) -> std::fmt::Result {
        writeln!(out, "  class               group       colour   IoU")?;
        for class in classes {
            let iou = manifest.scores.iou_by_class.get(&class.name);
            let iou = iou.map_or_else(|| "not measured".to_owned(), |iou| format!("{iou:.3}"));
            let (id, name, group) = (class.id, &class.name, class.group.name());
            writeln!(out, "  {id:>2} {name:<16} {group:<11} {}  {iou}", class.colour)?;
        }
        Ok(())
    }
}
