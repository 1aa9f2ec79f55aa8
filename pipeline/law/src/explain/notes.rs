//! Notes in words.

use shorewatch_domain::law::assessment::Language;
use shorewatch_domain::law::explanation::Note;

use super::names::level_name;

/// A note in words.
#[must_use]
pub fn note_text(note: &Note, language: Language) -> String {
    match note {
        Note::NoChief { level, gap } => {
            let level = level_name(*level, language);
            match (language, gap) {
                (Language::English, true) => format!("no {level} chief on this day: there is a gap between periods"),
                (Language::English, false) => format!("no {level} chief is known here"),
                (Language::Chinese, true) => format!("当日无{level}河长：任期之间有空档"),
                (Language::Chinese, false) => format!("无{level}河长信息"),
            }
        }
        Note::SeveralChiefs { level, in_charge_of, count } => {
            let level = level_name(*level, language);
            match language {
                Language::English => {
                    format!("{count} {level} chiefs of {in_charge_of} on this day: the one that began last was taken")
                }
                Language::Chinese => format!("当日{in_charge_of}有{count}位{level}河长：取最近任职者"),
            }
        }
        Note::UnknownZoneWord { word } => match language {
            Language::English => format!("function zone {word:?} is not in the vocabulary: no rule on it can fire"),
            Language::Chinese => format!("岸线功能区“{word}”不在词表中：相关规则无法触发"),
        },
        Note::UnknownChangeType { change_type } => match language {
            Language::English => format!("change type {change_type:?} names classes that the vocabulary lacks"),
            Language::Chinese => format!("变化类型“{change_type}”含词表外的类别"),
        },
        Note::UnknownObjectClass { object_class } => match language {
            Language::English => format!("object class {object_class:?} is not in the vocabulary"),
            Language::Chinese => format!("地物类型“{object_class}”不在词表中"),
        },
        Note::NoUnit => language
            .of(
                "in no administrative unit: the number carries the code that stands in",
                "不在任何行政区内：编号使用备用代码",
            )
            .to_owned(),
        Note::CrossesBoundary { level, shares } => match language {
            Language::English => format!(
                "crosses a {} boundary, the largest share leads: {}",
                level_name(*level, language),
                shares.join("; ")
            ),
            Language::Chinese => {
                format!("跨{}边界，占比最大者牵头：{}", level_name(*level, language), shares.join("；"))
            }
        },
        Note::BasinAuthority { basin, authority } => match language {
            Language::English => format!("basin {basin}: {authority} leads in place of the department"),
            Language::Chinese => format!("{basin}流域：由{authority}牵头"),
        },
        Note::ClassOfTheTable => language
            .of("no issue rule fits: the class of the table of changes was kept", "无问题规则适用：保留变化表中的类型")
            .to_owned(),
        Note::VolumeNotJudged { permit } => match language {
            Language::English => format!("permit {permit} limits a volume, which an area does not tell"),
            Language::Chinese => format!("许可{permit}限定开采量，面积无法判定"),
        },
        Note::BufferScope => language
            .of("the management scope is a buffer, not an official line", "管理范围为缓冲区替代，非正式划界")
            .to_owned(),
    }
}
