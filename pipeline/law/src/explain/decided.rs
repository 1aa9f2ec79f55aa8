//! What reviewers decided on a patch: the end of its explanation.

use serde::Serialize;
use shorewatch_domain::decision::Decision;
use shorewatch_domain::law::assessment::Language;

use super::Writer;
use crate::rules::Rules;

/// An outline that a reviewer drew in place of the one that was found.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Redrawn {
    /// Area as it was found, in m².
    pub found_m2: f64,
    /// Area of what was drawn, in m².
    pub drawn_m2: f64,
}

/// Every decision, undos too, one a line in the order of recording; empty where there is none.
#[must_use]
pub fn decided_text(decisions: &[Decision], redrawn: Option<Redrawn>, rules: &Rules, language: Language) -> String {
    let mut writer = Writer { text: String::new(), language };
    if !decisions.is_empty() {
        writer.heading("Decided by reviewers", "复核结论");
    }
    for decision in decisions {
        let line = line(decision, rules, language);
        writer.line(&line);
    }
    if let Some(Redrawn { found_m2, drawn_m2 }) = redrawn {
        writer.line(&match language {
            Language::English => {
                format!("the outline that stands was drawn by a reviewer: {drawn_m2:.2} m² ({found_m2:.2} m² as found)")
            }
            Language::Chinese => format!("现行边界由复核人员绘制：{drawn_m2:.2} 平方米（识别时 {found_m2:.2} 平方米）"),
        });
    }
    writer.text
}

fn line(decision: &Decision, rules: &Rules, language: Language) -> String {
    let day = rules.local_day(decision.decided_at);
    let verdict = decision.verdict.map_or(language.of("taken back", "撤销"), |verdict| verdict.text(language));
    let mut parts = vec![format!("{day} {}{}{verdict}", decision.reviewer, language.of(": ", "："))];
    parts.extend(decision.reason.map(|reason| reason.text(language).to_owned()));
    let corrected = &decision.corrected;
    let words = [
        corrected.issue_class.map(|class| language.of(class.name(), class.official_term()).to_owned()),
        corrected.sub_type.map(|sub_type| format!("{} {}", sub_type.code(), sub_type.text(language))),
        corrected.severity.map(|severity| severity.text(language).to_owned()),
        corrected.geometry.as_ref().map(|_| language.of("outline", "边界").to_owned()),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if !words.is_empty() {
        parts.push(format!("{}{}", language.of("corrected to: ", "更正为："), words.join(language.of(", ", "、"))));
    }
    if !decision.note.is_empty() {
        parts.push(decision.note.clone());
    }
    parts.join(language.of("; ", "；"))
}
