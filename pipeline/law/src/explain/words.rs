//! Words of tables, models and rules for readers of Chinese. Readers of English get the words themselves: they are those of the
//! configuration. A word that is not here stands for itself.

use std::borrow::Cow;

use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::law::assessment::{Language, PermitStatus, Severity};
use shorewatch_domain::law::explanation::Factor;
use shorewatch_domain::law::water::WaterKind;

/// Name of what is seen.
#[must_use]
pub fn object_class_name(name: &str, language: Language) -> &str {
    let chinese = match name {
        "building" => "建筑物",
        "structure_in_water" => "水中构筑物",
        "greenhouse" => "大棚",
        "photovoltaic_array" => "光伏阵列",
        "pier" => "码头、栈桥",
        "bare_ground" => "裸地",
        "pit" => "采坑",
        "stockpile" => "堆料",
        "dredge_pond" => "采砂坑塘",
        "dredger" => "采砂船",
        "heap" => "堆体",
        "reclaimed_land" => "围垦地",
        "cropland" => "农作物",
        "cage" => "网箱",
        "dike" => "围堤",
        "unclassified" => "未分类变化",
        other => other,
    };
    language.of(name, chinese)
}

/// Name of a class of land cover or object, one side of a change type; `None` for one that is not known here.
fn class_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "water" => "水体",
        "bare" => "裸地",
        "built_up" => "建设用地",
        "crops" => "耕地",
        "low_vegetation" => "低矮植被",
        "trees" => "林木",
        "no_object" => "无地物",
        "dump" => "堆体",
        "stockpile" => "堆料",
        "pit" => "采坑",
        "building" => "建筑物",
        "greenhouse" => "大棚",
        "fish_cage" => "网箱",
        "dike" => "围堤",
        _ => return None,
    })
}

/// A change type in words: "水体→裸地". One of other classes stands for itself.
#[must_use]
pub fn change_name(change_type: &str, language: Language) -> Cow<'_, str> {
    let chinese = || {
        change_type.match_indices("_to_").find_map(|(at, gap)| {
            let (from, to) = (class_name(&change_type[..at])?, class_name(&change_type[at + gap.len()..])?);
            Some(format!("{from}→{to}"))
        })
    };
    match language {
        Language::English => Cow::Borrowed(change_type),
        Language::Chinese => chinese().map_or(Cow::Borrowed(change_type), Cow::Owned),
    }
}

/// Name of a zone of the rules.
pub(super) fn zone_name(zone: &str, language: Language) -> &str {
    let chinese = match zone {
        "management_scope" => "管理范围",
        "protection_scope" => "保护范围",
        "wetland" => "湿地",
        "blue_line" => "蓝线",
        "water_source:first" => "饮用水水源一级保护区",
        "water_source:second" => "饮用水水源二级保护区",
        "water_source:quasi" => "饮用水水源准保护区",
        "shoreline:protection" => "岸线保护区",
        "shoreline:reserve" => "岸线保留区",
        "shoreline:restricted" => "岸线控制利用区",
        "shoreline:development" => "岸线开发利用区",
        "elsewhere" => "其他区域",
        other => other,
    };
    language.of(zone, chinese)
}

/// Name of a kind of evidence.
pub(super) fn evidence_name(name: &str, language: Language) -> &str {
    let chinese = match name {
        "alteration" => "光谱变化",
        "class_change" => "类别变化",
        "contrast" => "对比",
        "core" => "核心",
        "learned" => "模型",
        "magnitude" => "幅度",
        "object_change" => "地物变化",
        "prior" => "先验",
        "shape" => "形状",
        "size" => "大小",
        "water_change" => "水体变化",
        other => other,
    };
    language.of(name, chinese)
}

/// What a condition of a row is about.
pub(super) fn condition_name(key: &str, language: Language) -> &str {
    let chinese = match key {
        "from" => "变化前类别",
        "to" => "变化后类别",
        "object_classes" => "地物类型",
        "waters" => "水域类型",
        "zones" => "所在分区",
        "permit" => "许可状态",
        "issue_classes" => "问题类型",
        "sub_types" => "问题细类",
        "basins" => "所在流域",
        "from_severity" => "严重程度",
        other => other,
    };
    language.of(key, chinese)
}

/// A word that a condition asks for, or that is there.
pub(super) fn condition_word<'a>(key: &str, word: &'a str, language: Language) -> &'a str {
    let severity = || Severity::ALL.into_iter().find(|one| one.name() == word).map(|one| one.text(language));
    let permit = || PermitStatus::ALL.into_iter().find(|one| one.name() == word).map(|one| one.text(language));
    let class = || IssueClass::ALL.into_iter().find(|one| one.name() == word).map(IssueClass::official_term);
    let water = || WaterKind::ALL.into_iter().find(|one| one.name() == word).map(water_name);
    let chinese = match key {
        "from" | "to" => class_name(word),
        "object_classes" => Some(object_class_name(word, language)),
        "waters" => water(),
        "zones" => Some(zone_name(word, language)),
        "permit" => permit(),
        "issue_classes" => class(),
        "from_severity" => severity(),
        _ => None,
    };
    language.of(word, chinese.unwrap_or(word))
}

const fn water_name(kind: WaterKind) -> &'static str {
    match kind {
        WaterKind::River => "河流",
        WaterKind::Lake => "湖泊",
        WaterKind::Reservoir => "水库",
    }
}

/// Name of a factor of the priority.
pub(super) fn factor_name(name: &str, language: Language) -> &str {
    let chinese = match name {
        "probability" => "概率",
        "severity" => "严重程度",
        "zone" => "分区",
        "age" => "时效",
        other => other,
    };
    language.of(name, chinese)
}

/// What a factor of the priority was taken from.
pub(super) fn factor_source(factor: &Factor, language: Language) -> Cow<'_, str> {
    if language == Language::English {
        return Cow::Borrowed(&factor.from);
    }
    match (factor.name.as_str(), factor.from.as_str()) {
        ("age", "any age") => Cow::Borrowed("不论久近"),
        ("age", from) => match from.strip_suffix(" days").map(|days| days.rsplit_once(' ').unwrap_or(("", days))) {
            Some(("at most", days)) => Cow::Owned(format!("不超过 {days} 天")),
            Some(("more than", days)) => Cow::Owned(format!("超过 {days} 天")),
            Some((_, days)) => Cow::Owned(format!("{days} 天")),
            None => Cow::Borrowed(from),
        },
        ("severity", from) => Cow::Borrowed(condition_word("from_severity", from, language)),
        ("zone", from) => Cow::Borrowed(zone_name(from, language)),
        (_, "review_score") => Cow::Borrowed("复核概率"),
        (_, "confidence") => Cow::Borrowed("置信度"),
        (_, from) => Cow::Borrowed(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::files;

    /// The words that shipped rules and models use are all here, so that a reader of Chinese meets no English.
    #[test]
    fn every_word_of_the_built_in_vocabulary_has_a_chinese_one() {
        let vocabulary = files().vocabulary;
        let chinese = Language::Chinese;
        for class in &vocabulary.classes {
            assert!(class_name(class).is_some(), "{class} has no name");
        }
        for class in &vocabulary.object_classes {
            assert_ne!(object_class_name(class, chinese), class);
        }
        let shoreline = vocabulary.shoreline_zones.iter().map(|zone| format!("shoreline:{}", zone.name));
        for zone in crate::rules::ZONES.iter().map(|zone| (*zone).to_owned()).chain(shoreline) {
            assert_ne!(zone_name(&zone, chinese), zone);
        }
    }

    #[test]
    fn changes_are_told_by_both_sides_however_they_are_spelt() {
        assert_eq!(change_name("low_vegetation_to_built_up", Language::Chinese), "低矮植被→建设用地");
        assert_eq!(change_name("low_vegetation_to_built_up", Language::English), "low_vegetation_to_built_up");
        assert_eq!(change_name("moon_to_built_up", Language::Chinese), "moon_to_built_up");
    }

    #[test]
    fn conditions_are_told_in_the_language_of_the_reader() {
        assert_eq!(condition_word("permit", "forbidden_season", Language::English), "forbidden_season");
        assert_ne!(condition_word("permit", "forbidden_season", Language::Chinese), "forbidden_season");
        assert_eq!(condition_word("sub_types", "2c", Language::Chinese), "2c");
        assert_eq!(condition_word("waters", "lake", Language::Chinese), "湖泊");
    }
}
