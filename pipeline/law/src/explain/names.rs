//! Names of layers, banks, levels and tables.

use shorewatch_domain::law::assessment::Language;
use shorewatch_domain::law::explanation::RuleTable;
use shorewatch_domain::law::layer::{AdministrativeLevel, LayerKind, WaterSourceLevel};
use shorewatch_domain::law::water::Bank;

/// Name of a layer.
#[must_use]
pub const fn layer_name(layer: LayerKind, language: Language) -> &'static str {
    match (language, layer) {
        (Language::Chinese, layer) => layer.official_term(),
        (Language::English, LayerKind::ManagementScope) => "management scope",
        (Language::English, LayerKind::ProtectionScope) => "protection scope",
        (Language::English, LayerKind::ShorelineZone) => "function zone of the shoreline",
        (Language::English, LayerKind::WaterSourceZone) => "protection zone of a water source",
        (Language::English, LayerKind::Wetland) => "wetland",
        (Language::English, LayerKind::BlueLine) => "blue line",
        (Language::English, LayerKind::MiningPermit) => "sand-mining permit",
        (Language::English, LayerKind::Project) => "approved project",
        (Language::English, LayerKind::AdministrativeUnit) => "administrative unit",
        (Language::English, LayerKind::KnownProblem) => "ledger of known problems",
    }
}

/// Name of a bank.
#[must_use]
pub const fn bank_name(bank: Bank, language: Language) -> &'static str {
    match bank {
        Bank::Left => language.of("left bank", "左岸"),
        Bank::Right => language.of("right bank", "右岸"),
    }
}

/// Name of a level of water-source protection.
#[must_use]
pub const fn source_zone_name(level: WaterSourceLevel, language: Language) -> &'static str {
    match level {
        WaterSourceLevel::First => language.of("level 1", "一级"),
        WaterSourceLevel::Second => language.of("level 2", "二级"),
        WaterSourceLevel::Quasi => language.of("quasi-protection", "准保护区"),
    }
}

/// Chainage as it is written on the spot: K12+345.
#[must_use]
pub fn chainage(metres: f64) -> String {
    let whole = metres.round() as i64;
    let sign = if whole < 0 { "-" } else { "" };
    format!("K{sign}{}+{:03}", whole.abs() / 1000, whole.abs() % 1000)
}

pub(super) const fn level_name(level: AdministrativeLevel, language: Language) -> &'static str {
    match level {
        AdministrativeLevel::City => language.of("city", "市级"),
        AdministrativeLevel::County => language.of("county", "县级"),
        AdministrativeLevel::Town => language.of("town", "乡级"),
        AdministrativeLevel::Village => language.of("village", "村级"),
    }
}

pub(super) const fn table_name(table: RuleTable, language: Language) -> &'static str {
    match table {
        RuleTable::Issues => language.of("issue class", "问题类型"),
        RuleTable::Severity => language.of("severity", "严重程度"),
        RuleTable::Routing => language.of("departments", "责任部门"),
        RuleTable::BasinAuthorities => language.of("basin authority", "流域机构"),
    }
}
