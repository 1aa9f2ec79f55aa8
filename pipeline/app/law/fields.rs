//! The fields of an assessed patch by name, in words of a language: once for ledgers, reports and exports.

use jiff::Timestamp;
use jiff::civil::Date;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::finding::LedgerStatus;
use shorewatch_domain::law::assessment::{Assessment, Language, Unit};
use shorewatch_domain::law::explanation::RuleTable;
use shorewatch_domain::law::gcj02;
use shorewatch_domain::patch::Patch;
use shorewatch_findings::event::picture::Picture;
use shorewatch_law::explain;
use shorewatch_law::rules::Rules;
use shorewatch_report::Cell;
use shorewatch_store::outbox::ledger::{PatchIssue, ReportedPlace};

/// Everything that is known of a patch.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The patch.
    pub patch: &'a Patch,
    /// What is said of it.
    pub assessment: &'a Assessment,
    /// What a reviewer decided.
    pub verdict: Option<DecisionVerdict>,
    /// Where the issue system has it; `None` where no finding stands on it.
    pub issue: Option<&'a PatchIssue>,
    /// What is known of it from elsewhere.
    pub origin: &'a Origin,
    /// Its pictures; empty where they were not asked for.
    pub pictures: &'a [Picture],
    /// The day that deadlines are held against.
    pub today: Date,
}

/// Where a problem comes from, besides the imagery that shows it.
#[derive(Clone, Default, Debug)]
pub struct Origin {
    /// Reports of the place that were made before the imagery was acquired, earliest first.
    pub reports: Vec<ReportedPlace>,
    /// National patches that it is the answer to.
    pub national: Vec<String>,
}

impl Origin {
    /// Where it comes from, in words.
    fn text(&self, patch: &Patch, language: Language) -> String {
        let imagery = format!("{} {}", language.of("imagery:", "遥感影像："), patch.post_sensor);
        let mut parts = vec![imagery];
        let mut sources: Vec<&str> = self.reports.iter().map(|report| report.source.as_str()).collect();
        sources.dedup();
        parts.extend(sources.iter().map(|source| format!("{} {source}", language.of("reported:", "举报："))));
        parts.extend(
            self.national.iter().map(|id| format!("{} {id}", language.of("national patch:", "国家下发图斑："))),
        );
        parts.iter().map(|part| part.replace("： ", "：")).collect::<Vec<_>>().join(language.of("; ", "；"))
    }
}

/// The value of a field in words; `None` for a field that there is not.
#[must_use]
pub fn value(field: &str, told: &Told<'_>, rules: &Rules, language: Language) -> Option<Cell> {
    let Told { patch, assessment, verdict, issue, origin, pictures, today } = *told;
    let hash = |role: &str| {
        pictures.iter().find(|picture| picture.role == role).map_or(Cell::Missing, |picture| some_text(&picture.sha256))
    };
    let state = issue.and_then(|issue| issue.state);
    let some = some_text;
    let text = |text: &Option<String>| text.as_deref().map_or(Cell::Missing, some);
    let unit = |unit: &Option<Unit>| unit.as_ref().map_or(Cell::Missing, |unit| some(&unit.name));
    let number = |number: Option<f64>, decimals| number.map_or(Cell::Missing, |number| Cell::Number(number, decimals));
    let day = |time: Timestamp| Cell::Text(rules.local_day(time).to_string());
    let is_chinese = language == Language::Chinese;
    Some(match field {
        "number" => some(&assessment.number),
        "patch_id" => some(&patch.patch_id),
        "city" => unit(&assessment.city),
        "county" => unit(&assessment.county),
        "town" => unit(&assessment.town),
        "village" => unit(&assessment.village),
        "adcd" => text(&assessment.adcd),
        "river_name" => text(&assessment.river_name),
        "river_code" => text(&assessment.river_code),
        "reach_code" => text(&assessment.reach_code),
        "bank" => assessment.bank.map_or(Cell::Missing, |bank| some(explain::bank_name(bank, language))),
        "chainage_m" => number(assessment.chainage_m, 1),
        "nearest_place" => assessment
            .nearest_place
            .as_ref()
            .map_or(Cell::Missing, |(name, distance_m)| Cell::Text(format!("{name} ({distance_m:.1} m)"))),
        "centre_longitude" => Cell::Number(patch.centre.0, 6),
        "centre_latitude" => Cell::Number(patch.centre.1, 6),
        "area_m2" => Cell::Number(patch.area_m2, 2),
        "perimeter_m" => Cell::Number(patch.perimeter_m, 1),
        "object_class" => some(explain::object_class_name(&patch.object_class, language)),
        "change_type" => some(&explain::change_name(&patch.change_type, language)),
        "issue_class" => some(language.of(assessment.issue_class.name(), assessment.issue_class.official_term())),
        "sub_type" => assessment
            .sub_type
            .map_or(Cell::Missing, |sub_type| Cell::Text(format!("{} {}", sub_type.code(), sub_type.text(language)))),
        "local_word" => assessment
            .sub_type
            .and_then(|sub_type| rules.vocabulary.local_words.get(&sub_type))
            .map_or(Cell::Missing, |word| some(word)),
        "issue_reason" => reason(assessment, RuleTable::Issues, language),
        "severity_reason" => reason(assessment, RuleTable::Severity, language),
        "severity" => some(assessment.severity.text(language)),
        "stock_flag" => some(assessment.stock_flag.text(language)),
        "permit_status" => some(assessment.permit_status.text(language)),
        "permit_id" => text(&assessment.permit_id),
        "outside_share" => number(assessment.outside_share, 3),
        "shoreline_zone" => text(&assessment.shoreline_zone),
        "source_zone" => {
            assessment.source_zone.map_or(Cell::Missing, |level| some(explain::source_zone_name(level, language)))
        }
        "in_mgmt" => assessment.in_mgmt.map_or(Cell::Missing, |within| {
            some(match (within, is_chinese) {
                (true, true) => "是",
                (false, true) => "否",
                (true, false) => "yes",
                (false, false) => "no",
            })
        }),
        "pre_date" => day(patch.pre_date),
        "post_date" => day(patch.post_date),
        "pre_sensor" => some(&patch.pre_sensor),
        "post_sensor" => some(&patch.post_sensor),
        "ground_sampling_distance_m" => Cell::Number(patch.ground_sampling_distance_m, 2),
        "coreg_rmse_px" => number(patch.coreg_rmse_px, 2),
        "valid_fraction" => Cell::Number(patch.valid_fraction, 3),
        "confidence" => Cell::Number(patch.confidence, 3),
        "review_score" => number(patch.review_score, 3),
        "priority" => Cell::Number(assessment.priority, 4),
        "chief_city" => text(&assessment.chief_city),
        "chief_county" => text(&assessment.chief_county),
        "chief_town" => text(&assessment.chief_town),
        "chief_village" => text(&assessment.chief_village),
        "lead_department" => text(&assessment.lead_department),
        "supporting_departments" => list(&assessment.supporting_departments, language),
        "co_notified" => {
            let units: Vec<String> =
                assessment.co_notified.iter().map(|unit| format!("{} {}", unit.code, unit.name)).collect();
            list(&units, language)
        }
        "deadline" => assessment.deadline.map_or(Cell::Missing, |day| Cell::Text(day.to_string())),
        "verdict" => verdict.map_or(Cell::Missing, |verdict| some(verdict.text(language))),
        "suppressed_reason" => assessment.suppressed_reason.map_or(Cell::Missing, |reason| some(reason.text(language))),
        "linked_site" => text(&assessment.linked_site),
        "problem_source" => Cell::Text(origin.text(patch, language)),
        "report_level" => {
            let level = origin.reports.iter().map(|report| report.level).max();
            level.map_or(Cell::Missing, |level| Cell::Number(f64::from(level), 0))
        }
        "picture_before_sha256" => hash("before"),
        "picture_after_sha256" => hash("after"),
        "finding_id" => issue.map_or(Cell::Missing, |issue| some(&issue.finding_id)),
        "issue_id" => issue.map_or(Cell::Missing, |issue| list(&issue.names, language)),
        "issue_state" => match (issue, state) {
            (Some(issue), None) if issue.names.is_empty() => some(language.of("not taken yet", "未受理")),
            (Some(_), None) => some(language.of("taken, no state reported", "已接收，未反馈状态")),
            (_, state) => state.map_or(Cell::Missing, |state| some(state.text(language))),
        },
        "issue_state_on" => issue.and_then(|issue| issue.state_at).map_or(Cell::Missing, day),
        "issue_outcome" => issue.map_or(Cell::Missing, |issue| text(&issue.outcome)),
        "status" => issue.map_or(Cell::Missing, |_| {
            some(LedgerStatus::of(verdict, state, assessment.deadline, today).text(language))
        }),
        "navigation_link" => Cell::Text(gcj02::navigation_link(patch.centre)),
        "model" => Cell::Text(format!("{} {}", patch.model_name, patch.model_version)),
        _ => return None,
    })
}

/// Whether a field holds numbers, whatever stands in it.
#[must_use]
pub fn is_number(field: &str) -> bool {
    matches!(
        field,
        "chainage_m"
            | "centre_longitude"
            | "centre_latitude"
            | "area_m2"
            | "perimeter_m"
            | "outside_share"
            | "ground_sampling_distance_m"
            | "coreg_rmse_px"
            | "valid_fraction"
            | "confidence"
            | "review_score"
            | "priority"
            | "report_level"
    )
}

fn some_text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn list(names: &[String], language: Language) -> Cell {
    if names.is_empty() { Cell::Missing } else { Cell::Text(names.join(language.of(", ", "、"))) }
}

/// The reason that stands in the rule that decided.
fn reason(assessment: &Assessment, table: RuleTable, language: Language) -> Cell {
    let reason = assessment.explanation.reason(table);
    reason.map_or(Cell::Missing, |reason| some_text(reason.in_language(language)))
}

#[cfg(test)]
mod tests {
    use shorewatch_law::rules::ledger::{FIELDS, RECKONED};

    /// Every field that a configuration may name has a value here: read from the source, since a patch is needed otherwise.
    #[test]
    fn every_field_that_can_be_configured_has_a_value() {
        let source = include_str!("fields.rs");
        for (field, _) in FIELDS.iter().chain(&RECKONED) {
            assert!(source.contains(&format!("\"{field}\" =>")), "{field} has no value");
        }
    }
}
