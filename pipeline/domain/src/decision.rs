//! What a reviewer decides on a patch (内业复核): the verdicts of the field, coded reasons, corrections, and what several
//! decisions on one patch add up to.
//!
//! | module | holds |
//! |---|---|
//! | [`state`] | decisions on a patch, one after the other → where the patch stands; the two-person rule |
//! | [`figures`] | how often reviewers confirm, and agree, each with its interval |
//!
//! A decision is an event: it is never changed. Undoing one is another event.

pub mod figures;
pub mod state;

use geo_types::Polygon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::classes::IssueClass;
use crate::law::assessment::{Language, Severity, SubType};
use crate::review::{Review, Verdict};

/// What a reviewer says of a patch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionVerdict {
    /// 问题: a problem, to be dispatched.
    Problem,
    /// 非问题: none, for a coded reason.
    NotAProblem,
    /// 挂账监管: a problem from before that stays under watch.
    UnderWatch,
    /// 历史遗留、无害: from before, and harmless.
    HistoricalHarmless,
    /// 待核查: the pictures do not tell; somebody has to go there.
    Unsure,
    /// 影像不合格: the imagery does not allow a verdict.
    BadImagery,
    /// 重复: the same as another patch.
    Duplicate,
}

impl DecisionVerdict {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Problem,
        Self::NotAProblem,
        Self::UnderWatch,
        Self::HistoricalHarmless,
        Self::Unsure,
        Self::BadImagery,
        Self::Duplicate,
    ];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::NotAProblem => "not_a_problem",
            Self::UnderWatch => "under_watch",
            Self::HistoricalHarmless => "historical_harmless",
            Self::Unsure => "unsure",
            Self::BadImagery => "bad_imagery",
            Self::Duplicate => "duplicate",
        }
    }

    /// The term of the field.
    #[must_use]
    pub const fn official_term(self) -> &'static str {
        match self {
            Self::Problem => "问题",
            Self::NotAProblem => "非问题",
            Self::UnderWatch => "挂账监管",
            Self::HistoricalHarmless => "历史遗留、无害",
            Self::Unsure => "待现场核查",
            Self::BadImagery => "影像不合格",
            Self::Duplicate => "重复图斑",
        }
    }

    /// The verdict, for people: in Chinese the term of the field.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        let english = match self {
            Self::Problem => "problem",
            Self::NotAProblem => "not a problem",
            Self::UnderWatch => "problem, historical, under watch",
            Self::HistoricalHarmless => "historical, harmless",
            Self::Unsure => "unsure",
            Self::BadImagery => "imagery does not tell",
            Self::Duplicate => "duplicate",
        };
        language.of(english, self.official_term())
    }

    /// Whether it says that something is wrong there: what the yield of a reviewer's queue counts.
    #[must_use]
    pub const fn confirms(self) -> bool {
        matches!(self, Self::Problem | Self::UnderWatch)
    }

    /// What it means for the labels of a network.
    #[must_use]
    pub const fn as_review(self) -> Verdict {
        match self {
            Self::Problem | Self::UnderWatch | Self::HistoricalHarmless => Verdict::Confirmed,
            Self::NotAProblem => Verdict::Rejected,
            Self::Unsure | Self::BadImagery | Self::Duplicate => Verdict::Unsure,
        }
    }
}

/// Why a patch is no problem.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// 云或阴影.
    CloudOrShadow,
    /// 水位变化.
    WaterLevel,
    /// 季节或作物.
    SeasonOrCrop,
    /// 已批准.
    Permitted,
    /// 配准误差.
    Misregistration,
    /// 模型误判.
    ModelError,
    /// 范围之外.
    OutsideScope,
    /// 其他: the note says what.
    Other,
}

impl RejectionReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CloudOrShadow,
        Self::WaterLevel,
        Self::SeasonOrCrop,
        Self::Permitted,
        Self::Misregistration,
        Self::ModelError,
        Self::OutsideScope,
        Self::Other,
    ];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CloudOrShadow => "cloud_or_shadow",
            Self::WaterLevel => "water_level",
            Self::SeasonOrCrop => "season_or_crop",
            Self::Permitted => "permitted",
            Self::Misregistration => "misregistration",
            Self::ModelError => "model_error",
            Self::OutsideScope => "outside_scope",
            Self::Other => "other",
        }
    }

    /// The reason, for people.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::CloudOrShadow => language.of("cloud or shadow", "云或阴影"),
            Self::WaterLevel => language.of("water level", "水位变化"),
            Self::SeasonOrCrop => language.of("season or crop", "季节或作物"),
            Self::Permitted => language.of("permitted", "已批准"),
            Self::Misregistration => language.of("misregistration", "配准误差"),
            Self::ModelError => language.of("model error", "模型误判"),
            Self::OutsideScope => language.of("outside the scope", "范围之外"),
            Self::Other => language.of("other", "其他"),
        }
    }
}

/// What a reviewer corrected; nothing where the patch was right.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Correction {
    /// What it is in law.
    pub issue_class: Option<IssueClass>,
    /// Official sub-type (办河湖〔2018〕245号).
    pub sub_type: Option<SubType>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Its outline (CGCS2000: longitude, latitude).
    pub geometry: Option<Polygon<f64>>,
}

/// Where a decision was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionSource {
    /// At the desk, on one patch.
    #[default]
    Desk,
    /// At the desk, on a selection of patches or a whole pass.
    Bulk,
    /// At the river.
    Field,
    /// By a supervisor who looked at a decided patch again.
    Audit,
}

impl DecisionSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Desk, Self::Bulk, Self::Field, Self::Audit];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Bulk => "bulk",
            Self::Field => "field",
            Self::Audit => "audit",
        }
    }
}

/// One decision on one patch: an event, never changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// Identity, made by whoever decides: the same one again is the same decision.
    pub decision_id: String,
    /// The patch.
    pub patch_id: String,
    /// The case that the patch belongs to, where there is one.
    pub case_id: Option<String>,
    /// What was said; `None` takes back the reviewer's own last decision on the patch.
    pub verdict: Option<DecisionVerdict>,
    /// Why not; a rejection must carry one.
    pub reason: Option<RejectionReason>,
    /// What else the reviewer wrote; may be empty.
    pub note: String,
    /// What was corrected.
    pub corrected: Correction,
    /// The patch that it repeats.
    pub duplicate_of: Option<String>,
    /// Code of the account: never a name or a telephone number.
    pub reviewer: String,
    /// When.
    pub decided_at: Timestamp,
    /// The version of the patch's state that the reviewer saw.
    pub on_version: u64,
    /// How long the patch was looked at.
    pub seconds: Option<f64>,
    /// Where.
    pub source: DecisionSource,
}

/// Most characters of a note.
pub const MOST_NOTE_LENGTH: usize = 2_000;

impl Decision {
    /// All that is wrong with a decision, in words.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.mirrored().map(|review| review.faults()).unwrap_or_default();
        let id_is_fine = (8..=64).contains(&self.decision_id.len())
            && self.decision_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !id_is_fine {
            faults.push(format!(
                "decision_id: expected 8 to 64 letters, digits, - and _, got {:?}",
                self.decision_id.chars().take(80).collect::<String>()
            ));
        }
        match (self.verdict, self.reason) {
            (Some(DecisionVerdict::NotAProblem), None) => {
                faults.push("reason: a rejection must carry a coded one".to_owned());
            }
            (Some(DecisionVerdict::NotAProblem), Some(RejectionReason::Other)) if self.note.trim().is_empty() => {
                faults.push("note: the reason \"other\" needs words".to_owned());
            }
            (Some(DecisionVerdict::NotAProblem) | None, _) | (_, None) => {}
            (Some(verdict), Some(reason)) => {
                faults.push(format!("reason: expected none for the verdict {}, got {}", verdict.name(), reason.name()));
            }
        }
        match (self.verdict == Some(DecisionVerdict::Duplicate), &self.duplicate_of) {
            (true, None) => faults.push("duplicate_of: expected the patch that it repeats, got none".to_owned()),
            (true, Some(other)) if *other == self.patch_id => {
                faults.push("duplicate_of: a patch can't repeat itself".to_owned());
            }
            (false, Some(_)) => faults.push("duplicate_of: expected with the verdict duplicate only".to_owned()),
            _ => {}
        }
        if self.note.chars().count() > MOST_NOTE_LENGTH {
            faults.push(format!("note: expected at most {MOST_NOTE_LENGTH} characters"));
        }
        if let (Some(class), Some(sub_type)) = (self.corrected.issue_class, self.corrected.sub_type)
            && sub_type.issue_class() != class
        {
            let (got, of) = (sub_type.code(), sub_type.issue_class().name());
            faults.push(format!("corrected.sub_type: expected one of {}, got {got}, which is {of}", class.name()));
        }
        if self.seconds.is_some_and(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
            faults.push("seconds: expected 0 to 86400".to_owned());
        }
        faults
    }

    /// The same decision as the training of networks reads it; `None` for one that takes another back.
    #[must_use]
    pub fn mirrored(&self) -> Option<Review> {
        let verdict = self.verdict?;
        let coded = self.reason.map_or("", RejectionReason::name);
        let reason = match (coded, self.note.trim()) {
            ("", "") => verdict.name().to_owned(),
            ("", note) => note.to_owned(),
            (coded, "") => coded.to_owned(),
            (coded, note) => format!("{coded}: {note}"),
        };
        Some(Review {
            patch_id: self.patch_id.clone(),
            verdict: verdict.as_review(),
            reason,
            corrected_class: None,
            reviewer: self.reviewer.clone(),
            reviewed_at: self.decided_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Verdict;

    pub(super) fn decision(verdict: DecisionVerdict) -> Decision {
        Decision {
            decision_id: "decision-1".to_owned(),
            patch_id: "20240315-1f3a9c02".to_owned(),
            case_id: None,
            verdict: Some(verdict),
            reason: (verdict == DecisionVerdict::NotAProblem).then_some(RejectionReason::Permitted),
            note: String::new(),
            corrected: Correction::default(),
            duplicate_of: (verdict == DecisionVerdict::Duplicate).then(|| "20240315-other".to_owned()),
            reviewer: "r-07".to_owned(),
            decided_at: Timestamp::UNIX_EPOCH,
            on_version: 0,
            seconds: Some(12.0),
            source: DecisionSource::Desk,
        }
    }

    #[test]
    fn every_verdict_can_be_said_and_has_a_name_of_its_own() {
        for verdict in DecisionVerdict::ALL {
            assert_eq!(decision(verdict).faults(), Vec::<String>::new(), "{verdict:?}");
        }
        let names: std::collections::BTreeSet<_> = DecisionVerdict::ALL.iter().map(|verdict| verdict.name()).collect();
        assert_eq!(names.len(), DecisionVerdict::ALL.len());
    }

    #[test]
    fn a_rejection_carries_a_coded_reason_and_other_needs_words() {
        let mut rejected = decision(DecisionVerdict::NotAProblem);
        assert_eq!(
            rejected.mirrored().map(|review| (review.verdict, review.reason)),
            Some((Verdict::Rejected, "permitted".to_owned()))
        );
        rejected.reason = None;
        assert!(rejected.faults()[0].starts_with("reason"), "{:?}", rejected.faults());
        rejected.reason = Some(RejectionReason::Other);
        assert!(rejected.faults()[0].starts_with("note"), "{:?}", rejected.faults());
        rejected.note = "堤防加固".to_owned();
        assert_eq!(rejected.faults(), Vec::<String>::new());
        let reasoned = Decision { reason: Some(RejectionReason::Permitted), ..decision(DecisionVerdict::Problem) };
        assert!(reasoned.faults()[0].starts_with("reason"));
    }

    #[test]
    fn a_patch_repeats_another_one_and_never_itself() {
        let mut repeated = decision(DecisionVerdict::Duplicate);
        repeated.duplicate_of = Some(repeated.patch_id.clone());
        assert!(repeated.faults()[0].starts_with("duplicate_of"));
        repeated.duplicate_of = None;
        assert!(repeated.faults()[0].starts_with("duplicate_of"));
        let stray = Decision { duplicate_of: Some("x".to_owned()), ..decision(DecisionVerdict::Problem) };
        assert!(stray.faults()[0].starts_with("duplicate_of"));
    }

    #[test]
    fn a_reviewer_is_a_code_and_an_identity_is_short() {
        let named = Decision { reviewer: "王小明".to_owned(), ..decision(DecisionVerdict::Problem) };
        assert!(named.faults()[0].contains("no names"));
        let telephone = Decision { reviewer: "13800138000".to_owned(), ..decision(DecisionVerdict::Problem) };
        assert!(!telephone.faults().is_empty());
        let long = Decision { decision_id: "x".repeat(65), ..decision(DecisionVerdict::Problem) };
        assert!(long.faults()[0].starts_with("decision_id"));
    }
}
