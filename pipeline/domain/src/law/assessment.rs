//! What layers and rules say of a patch: what it may be in law, how bad it is, where it lies, and whose it is.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::explanation::{Explanation, RuleTable};
use super::layer::{AdministrativeLevel, WaterSourceLevel};
pub use super::sub_type::SubType;
use super::water::Bank;
use super::wording::Wording;
use crate::classes::IssueClass;
use crate::decision::Correction;
use crate::digest::{Digest, DigestBuilder};

/// A language of texts for people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// 中文.
    Chinese,
}

impl Language {
    /// The one of two texts that is in this language.
    #[must_use]
    pub const fn of<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 一般.
    General,
    /// 较严重.
    Serious,
    /// 重大.
    Major,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::General, Self::Serious, Self::Major];

    /// The name in configurations, stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Serious => "serious",
            Self::Major => "major",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::General => language.of("general", "一般"),
            Self::Serious => language.of("serious", "较严重"),
            Self::Major => language.of("major", "重大"),
        }
    }
}

/// Whether it was there on the baseline date.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockFlag {
    /// 存量: it was.
    Stock,
    /// 增量: it came after it.
    Increment,
    /// No pass tells, or no baseline date is configured.
    Unknown,
}

impl StockFlag {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stock, Self::Increment, Self::Unknown];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Increment => "increment",
            Self::Unknown => "unknown",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Stock => language.of("stock", "存量"),
            Self::Increment => language.of("increment", "增量"),
            Self::Unknown => language.of("not known", "未知"),
        }
    }
}

/// What permits and projects say of a place on a day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermitStatus {
    /// Neither permits nor projects are loaded: nothing is known.
    Unknown,
    /// It meets none.
    None,
    /// Inside one that holds, and as approved.
    Permitted,
    /// A part lies outside of one that holds.
    PartlyOutside,
    /// After the last day of the approval.
    Expired,
    /// Before its first day.
    NotYetValid,
    /// In a season in which nothing may be taken.
    ForbiddenSeason,
    /// Something else was approved there.
    OtherContent,
    /// Applied for only.
    Applied,
    /// Withdrawn or refused.
    Withdrawn,
}

impl PermitStatus {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Unknown,
        Self::None,
        Self::Permitted,
        Self::PartlyOutside,
        Self::Expired,
        Self::NotYetValid,
        Self::ForbiddenSeason,
        Self::OtherContent,
        Self::Applied,
        Self::Withdrawn,
    ];

    /// The name in configurations, stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::None => "none",
            Self::Permitted => "permitted",
            Self::PartlyOutside => "partly_outside",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::ForbiddenSeason => "forbidden_season",
            Self::OtherContent => "other_content",
            Self::Applied => "applied",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What it is called. Suspected, as everything here: 疑似未批先建 (without), 疑似批建不符 (not as approved), 已批 (approved).
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Unknown => language.of("not known", "未知（无许可图层）"),
            Self::None => language.of("no permit", "疑似未批先建"),
            Self::Permitted => language.of("permitted", "已批"),
            Self::PartlyOutside => language.of("partly outside the permit", "疑似批建不符（超出批准范围）"),
            Self::Expired => language.of("permit expired", "疑似批建不符（许可已过期）"),
            Self::NotYetValid => language.of("permit not valid yet", "疑似未批先建（许可尚未生效）"),
            Self::ForbiddenSeason => language.of("forbidden season", "疑似违规（禁采期）"),
            Self::OtherContent => language.of("something else is approved", "疑似批建不符（内容不符）"),
            Self::Applied => language.of("applied for only", "疑似未批先建（仅申请）"),
            Self::Withdrawn => language.of("permit withdrawn", "疑似未批先建（许可已撤销）"),
        }
    }
}

/// An administrative unit that a place lies in.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// What the layers in force, the rules and what is known of earlier sites say of one patch. Suspected is not a verdict.
/// A field is `None` where no layer tells.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Assessment {
    /// The patch.
    pub patch_id: String,
    /// Number for offices: administrative code, date and sequence. Once given it stays.
    pub number: String,
    /// The day on which it was detected: that of the later pass in local time.
    pub detected_on: Date,
    /// What it may be in law.
    pub issue_class: IssueClass,
    /// Sub-type of that.
    pub sub_type: Option<SubType>,
    /// How bad it is.
    pub severity: Severity,
    /// Stock or increment.
    pub stock_flag: StockFlag,
    /// What permits and projects say.
    pub permit_status: PermitStatus,
    /// Code of the permit or project that decided.
    pub permit_id: Option<String>,
    /// Share of the patch outside of every permit that holds, where it meets one (0..1).
    pub outside_share: Option<f64>,
    /// Name of the water.
    pub river_name: Option<String>,
    /// Its code.
    pub river_code: Option<String>,
    /// Code of the reach in the register.
    pub reach_code: Option<String>,
    /// Bank.
    pub bank: Option<Bank>,
    /// Chainage in metres.
    pub chainage_m: Option<f64>,
    /// Code of the finest unit that it lies in.
    pub adcd: Option<String>,
    /// City.
    pub city: Option<Unit>,
    /// County.
    pub county: Option<Unit>,
    /// Town.
    pub town: Option<Unit>,
    /// Village.
    pub village: Option<Unit>,
    /// The nearest named place, and how far it is in metres.
    pub nearest_place: Option<(String, f64)>,
    /// Kind of function zone, in the words of the layer.
    pub shoreline_zone: Option<String>,
    /// Level of the protection zone of a water source.
    pub source_zone: Option<WaterSourceLevel>,
    /// Whether it lies in a management scope.
    pub in_mgmt: Option<bool>,
    /// Chief of the city. Personal, as the three below.
    pub chief_city: Option<String>,
    /// Chief of the county.
    pub chief_county: Option<String>,
    /// Chief of the town.
    pub chief_town: Option<String>,
    /// Chief of the village.
    pub chief_village: Option<String>,
    /// Department that leads.
    pub lead_department: Option<String>,
    /// Departments that support.
    pub supporting_departments: Vec<String>,
    /// Units that hold a smaller share and are told as well.
    pub co_notified: Vec<Unit>,
    /// Last day for a first answer.
    pub deadline: Option<Date>,
    /// Place in the reviewer's queue: higher is sooner.
    pub priority: f64,
    /// Whether it is in the reviewer's queue.
    pub shown: bool,
    /// Why it is not.
    pub suppressed_reason: Option<SuppressedReason>,
    /// An earlier site that it belongs to: `ledger:CODE` or `patch:ID`.
    pub linked_site: Option<String>,
    /// Why all this.
    pub explanation: Explanation,
    /// Of everything that it is a function of: the same digest means that nothing has to be judged again.
    pub inputs: Digest,
}

impl Assessment {
    /// Takes over what a reviewer corrected: from then on the assessment says what a person says, and why.
    pub fn correct(&mut self, corrected: &Correction) {
        let former_class = self.issue_class;
        let issue_class =
            corrected.issue_class.or(corrected.sub_type.map(SubType::issue_class)).unwrap_or(former_class);
        let sub_type = corrected.sub_type.or(self.sub_type.filter(|sub_type| sub_type.issue_class() == issue_class));
        if (issue_class, sub_type) != (former_class, self.sub_type) {
            let said = |class: IssueClass, sub_type: Option<SubType>| {
                let code = sub_type.map_or_else(String::new, |sub_type| format!(" {}", sub_type.code()));
                Wording::new(format!("{}{code}", class.name()), format!("{}{code}", class.official_term()))
            };
            let former = said(former_class, self.sub_type);
            self.explanation.overrule(RuleTable::Issues, &former, said(issue_class, sub_type));
            (self.issue_class, self.sub_type) = (issue_class, sub_type);
        }
        if let Some(severity) = corrected.severity.filter(|severity| *severity != self.severity) {
            let said =
                |severity: Severity| Wording::new(severity.text(Language::English), severity.text(Language::Chinese));
            self.explanation.overrule(RuleTable::Severity, &said(self.severity), said(severity));
            self.severity = severity;
        }
    }

    /// Digest of what is said to offices. Priority and explanation are left out: they follow the calendar and the reviews, and an
    /// office need not hear of it.
    #[must_use]
    pub fn content(&self) -> Digest {
        let mut fields: Vec<(&str, String)> = Vec::new();
        let mut add = |name, text: Option<String>| {
            fields.push((name, text.map_or_else(|| "-".to_owned(), |text| format!("={text}"))));
        };
        let unit = |unit: &Option<Unit>| unit.as_ref().map(|unit| format!("{} {}", unit.code, unit.name));
        add("number", Some(self.number.clone()));
        add("issue_class", Some(self.issue_class.name().to_owned()));
        add("sub_type", self.sub_type.map(|sub_type| sub_type.code().to_owned()));
        add("severity", Some(self.severity.name().to_owned()));
        add("stock_flag", Some(self.stock_flag.name().to_owned()));
        add("permit_status", Some(self.permit_status.name().to_owned()));
        add("permit_id", self.permit_id.clone());
        add("outside_share", self.outside_share.map(|share| share.to_string()));
        add("river_name", self.river_name.clone());
        add("river_code", self.river_code.clone());
        add("reach_code", self.reach_code.clone());
        add("bank", self.bank.map(|bank| bank.name().to_owned()));
        add("chainage_m", self.chainage_m.map(|metres| metres.to_string()));
        add("adcd", self.adcd.clone());
        for level in AdministrativeLevel::ALL {
            add("unit", unit(&self.unit(level).cloned()));
            add("chief", self.chief(level).cloned());
        }
        add("nearest_place", self.nearest_place.as_ref().map(|(name, distance)| format!("{name} {distance}")));
        add("shoreline_zone", self.shoreline_zone.clone());
        add("source_zone", self.source_zone.map(|level| level.name().to_owned()));
        add("in_mgmt", self.in_mgmt.map(|within| within.to_string()));
        add("lead_department", self.lead_department.clone());
        self.supporting_departments.iter().for_each(|name| add("supporting", Some(name.clone())));
        self.co_notified.iter().for_each(|told| add("co_notified", unit(&Some(told.clone()))));
        add("deadline", self.deadline.map(|day| day.to_string()));
        add("suppressed_reason", self.suppressed_reason.map(|reason| reason.name().to_owned()));
        add("linked_site", self.linked_site.clone());
        let builder = DigestBuilder::new("assessment content");
        fields.into_iter().fold(builder, |builder, (name, text)| builder.field(name, text)).finish()
    }

    /// The unit at a level.
    #[must_use]
    pub const fn unit(&self, level: AdministrativeLevel) -> Option<&Unit> {
        match level {
            AdministrativeLevel::City => self.city.as_ref(),
            AdministrativeLevel::County => self.county.as_ref(),
            AdministrativeLevel::Town => self.town.as_ref(),
            AdministrativeLevel::Village => self.village.as_ref(),
        }
    }

    /// Name of the chief at a level. Personal.
    #[must_use]
    pub const fn chief(&self, level: AdministrativeLevel) -> Option<&String> {
        match level {
            AdministrativeLevel::City => self.chief_city.as_ref(),
            AdministrativeLevel::County => self.chief_county.as_ref(),
            AdministrativeLevel::Town => self.chief_town.as_ref(),
            AdministrativeLevel::Village => self.chief_village.as_ref(),
        }
    }
}

/// Why an assessed patch is kept out of the reviewer's queue. It stays visible with its reason, and is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedReason {
    /// It lies inside a permit or project that holds.
    Permitted,
    /// The ledger knows it, and it did not grow.
    KnownProblem,
    /// It was reviewed before, and did not grow.
    ReviewedBefore,
}

impl SuppressedReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Permitted, Self::KnownProblem, Self::ReviewedBefore];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::KnownProblem => "known_problem",
            Self::ReviewedBefore => "reviewed_before",
        }
    }

    /// The reason, for people.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Permitted => language.of("inside a permit that holds", "位于有效许可范围内"),
            Self::KnownProblem => language.of("on the ledger already, not grown", "台账已有，未扩大"),
            Self::ReviewedBefore => language.of("reviewed before, not grown", "此前已复核，未扩大"),
        }
    }
}

/// An approved project on whose ground nothing changed by the day by which something should have: *approved but idle*
/// (占而不用). An alarm, not a verdict.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdleProject {
    /// Code of the project.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The day by which something should have been seen.
    pub expected_by: Date,
    /// The last day on which its ground was observed.
    pub observed_on: Date,
    /// Share of its ground that was observed then (0..1).
    pub observed_share: f64,
    /// The administrative unit with the largest share.
    pub adcd: Option<String>,
    /// Code of the river or lake that it lies at.
    pub river_code: Option<String>,
    /// Code of the reach.
    pub reach_code: Option<String>,
    /// Chiefs in charge of the place on the day of the last observation, from the city down. Personal.
    pub chiefs: Vec<String>,
}
