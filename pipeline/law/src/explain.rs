//! Why a patch was judged as it was, in words: the same text for the command line, the store and the review page.

mod decided;
mod names;
mod notes;
mod words;

use std::fmt::Write as _;

use shorewatch_domain::law::assessment::{Assessment, Language, PermitStatus, StockFlag};
use shorewatch_domain::law::explanation::{RuleTrace, SiteRelation};
use shorewatch_domain::law::layer::{AdministrativeLevel, LayerKind};

use names::{level_name, table_name};
use words::{condition_name, condition_word, evidence_name, factor_name, factor_source, zone_name};

pub use decided::{Redrawn, decided_text};
pub use names::{bank_name, chainage, layer_name, source_zone_name};
pub use notes::note_text;
pub use words::{change_name, object_class_name};

/// The whole explanation.
#[must_use]
pub fn text(assessment: &Assessment, language: Language) -> String {
    let mut writer = Writer { text: String::new(), language };
    writer.summary(assessment);
    writer.address(assessment);
    writer.evidence(assessment);
    writer.layers(assessment);
    writer.permits(assessment);
    writer.rules(assessment);
    writer.stock(assessment);
    writer.priority(assessment);
    writer.sites(assessment);
    writer.responsibility(assessment);
    writer.notes(assessment);
    writer.provenance(assessment);
    writer.text
}

struct Writer {
    text: String,
    language: Language,
}

impl Writer {
    const fn word(&self, english: &'static str, chinese: &'static str) -> &'static str {
        self.language.of(english, chinese)
    }

    fn heading(&mut self, english: &'static str, chinese: &'static str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(self.word(english, chinese));
        self.text.push('\n');
    }

    fn line(&mut self, line: &str) {
        // writing to a String cannot fail
        let _ = writeln!(self.text, "  {line}");
    }

    fn summary(&mut self, told: &Assessment) {
        let (language, explanation) = (self.language, &told.explanation);
        let class = language.of(told.issue_class.name(), told.issue_class.official_term());
        let sub_type = told
            .sub_type
            .map_or_else(String::new, |sub_type| format!(" {} ({})", sub_type.code(), sub_type.text(language)));
        self.heading("Patch", "图斑");
        self.line(&format!("{} · {}", told.number, told.patch_id));
        self.line(&format!(
            "{} {class}{sub_type} · {} · {} · {}",
            self.word("suspected", "疑似"),
            told.severity.text(language),
            told.stock_flag.text(language),
            told.permit_status.text(language)
        ));
        self.line(&format!(
            "{} · {} · {:.2} m²",
            object_class_name(&explanation.object_class, language),
            change_name(&explanation.change_type, language),
            explanation.area_m2
        ));
        match told.suppressed_reason {
            None => self.line(self.word("in the reviewer's queue", "列入复核队列")),
            Some(reason) => {
                let line = format!("{}: {}", self.word("not in the queue", "不列入队列"), reason.text(language));
                self.line(&line);
            }
        }
        self.line(self.word("Suspected is not a verdict: a person decides.", "疑似不等于认定，须经人工复核。"));
    }

    fn address(&mut self, told: &Assessment) {
        self.heading("Where", "位置");
        let units =
            AdministrativeLevel::ALL.map(|level| told.unit(level).map(|unit| format!("{} {}", unit.name, unit.code)));
        let units: Vec<String> = units.into_iter().flatten().collect();
        if units.is_empty() {
            self.line(self.word("no administrative unit is known", "行政区未知"));
        } else {
            self.line(&units.join(" · "));
        }
        match (&told.river_name, told.chainage_m) {
            (Some(river), Some(metres)) => {
                let bank = told.bank.map_or("", |bank| bank_name(bank, self.language));
                let reach = told.reach_code.as_deref().unwrap_or("");
                let code = told.river_code.as_deref().unwrap_or("");
                let line = format!("{river} {code} · {reach} · {bank} · {}", chainage(metres));
                self.line(&line);
            }
            _ => self.line(self.word("no water of the register is near", "附近无登记水体")),
        }
        if let Some((name, distance)) = &told.nearest_place {
            let line = format!("{} {name} ({distance:.1} m)", self.word("nearest place:", "就近地名："));
            self.line(&line);
        }
    }

    fn evidence(&mut self, told: &Assessment) {
        self.heading("Evidence (by how much each kind moved the log-odds)", "证据（对数几率贡献）");
        let mut terms: Vec<_> = told.explanation.evidence.iter().collect();
        terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(b.0)));
        if terms.is_empty() {
            self.line(self.word("none was gathered", "无"));
        }
        for (name, value) in terms {
            self.line(&format!("{} {value:+.2}", evidence_name(name, self.language)));
        }
    }

    fn layers(&mut self, told: &Assessment) {
        let (language, explanation) = (self.language, &told.explanation);
        self.heading("Layers met", "涉及图层");
        for hit in &explanation.layers {
            self.line(&format!(
                "{}: {} {} {:.1} % ({:.2} m²)",
                layer_name(hit.layer, language),
                hit.code,
                hit.name,
                hit.share * 100.0,
                hit.area_m2
            ));
        }
        let names = |layers: &[LayerKind]| {
            layers.iter().map(|layer| layer_name(*layer, language)).collect::<Vec<_>>().join(language.of(", ", "、"))
        };
        if !explanation.layers_not_met.is_empty() {
            let line = format!("{} {}", self.word("not met:", "未涉及："), names(&explanation.layers_not_met));
            self.line(&line);
        }
        if !explanation.layers_not_in_force.is_empty() {
            let line = format!(
                "{} {}",
                self.word("not loaded, so not known:", "未导入，情况未知："),
                names(&explanation.layers_not_in_force)
            );
            self.line(&line);
        }
        if !explanation.zones.is_empty() {
            let zones: Vec<&str> = explanation.zones.iter().map(|zone| zone_name(zone, language)).collect();
            let zones = zones.join(language.of(", ", "、"));
            let line = format!("{} {zones}", self.word("zones for the rules:", "规则所用分区："));
            self.line(&line);
        }
    }

    fn permits(&mut self, told: &Assessment) {
        let language = self.language;
        self.heading("Permits and projects", "许可与项目");
        self.line(told.permit_status.text(language));
        for finding in &told.explanation.permits {
            let status = match finding.status {
                PermitStatus::Permitted => language.of("holds", "有效"),
                other => other.text(language),
            };
            self.line(&format!(
                "{} {} {}: {:.1} %, {status} ({})",
                layer_name(finding.layer, language),
                finding.code,
                finding.name,
                finding.share * 100.0,
                finding.because.in_language(language)
            ));
        }
        if let Some(share) = told.outside_share {
            let line = format!("{} {:.1} %", self.word("outside of those that hold:", "超出有效许可："), share * 100.0);
            self.line(&line);
        }
    }

    fn rules(&mut self, told: &Assessment) {
        self.heading("Rules", "规则");
        for trace in &told.explanation.rules {
            let line = self.rule(trace);
            self.line(&line);
        }
    }

    fn rule(&self, trace: &RuleTrace) -> String {
        let language = self.language;
        let table = table_name(trace.table, language);
        let mark = if trace.fired { "✔" } else { "·" };
        let told = match (&trace.outcome, &trace.failed) {
            (Some(outcome), _) => {
                let reason = trace.reason.as_ref().map_or("", |reason| reason.in_language(language));
                let outcome = outcome.in_language(language);
                format!("{}{outcome}{}{reason}", self.word("decided: ", "判定："), self.word(". ", "。"))
            }
            (None, Some(failed)) => {
                let list = |words: &[String]| {
                    let words: Vec<&str> =
                        words.iter().map(|word| condition_word(&failed.key, word, language)).collect();
                    if words.is_empty() {
                        self.word("none", "无").to_owned()
                    } else {
                        words.join(language.of("|", "、"))
                    }
                };
                let (key, expected, got) =
                    (condition_name(&failed.key, language), list(&failed.expected), list(&failed.got));
                match language {
                    Language::English => format!("did not fire, {key}: wants {expected}, got {got}"),
                    Language::Chinese => format!("未触发，{key}要求：{expected}；实际：{got}"),
                }
            }
            (None, None) => self.word("would fit too; something before it decided", "亦符合，已由前项判定").to_owned(),
        };
        match (language, &trace.chinese_name) {
            (Language::Chinese, Some(name)) => format!("{mark} {table} / {name}（{}）：{told}", trace.name),
            (Language::Chinese, None) => format!("{mark} {table} / {}：{told}", trace.name),
            (Language::English, _) => format!("{mark} {table} / {}: {told}", trace.name),
        }
    }

    fn stock(&mut self, told: &Assessment) {
        let trace = &told.explanation.stock;
        self.heading("Stock or increment", "存量与增量");
        let line = match (trace.flag, trace.baseline) {
            (_, None) => self.word("no baseline date is configured", "未设基准日期").to_owned(),
            (StockFlag::Increment, Some(baseline)) => format!(
                "{}: {} {} ≥ {baseline}",
                trace.flag.text(self.language),
                self.word("the earlier pass saw the place without it on", "前时相已观测且无此变化："),
                trace.earlier
            ),
            (StockFlag::Stock, Some(baseline)) => format!(
                "{}: {} {} / {baseline}",
                trace.flag.text(self.language),
                self.word(
                    "it was seen, or on the ledger, by the baseline date; later pass",
                    "基准日前已存在或已入台账；后时相"
                ),
                trace.later
            ),
            (StockFlag::Unknown, Some(baseline)) => format!(
                "{}: {} {} … {}, {baseline}, {} {:.0} %",
                trace.flag.text(self.language),
                self.word("no pass tells; between", "无影像可判定；两期之间"),
                trace.earlier,
                trace.later,
                self.word("observed on both", "两期均观测"),
                trace.observed_share * 100.0
            ),
        };
        self.line(&line);
    }

    fn priority(&mut self, told: &Assessment) {
        self.heading("Priority", "优先级");
        let factors: Vec<String> = told
            .explanation
            .priority
            .iter()
            .map(|factor| {
                let (name, from) = (factor_name(&factor.name, self.language), factor_source(factor, self.language));
                format!("{name} {:.3} ({from})", factor.value)
            })
            .collect();
        self.line(&format!("{:.4} = {}", told.priority, factors.join(" × ")));
    }

    fn sites(&mut self, told: &Assessment) {
        self.heading("Earlier sites", "已有点位");
        if told.explanation.sites.is_empty() {
            self.line(self.word("none here", "无"));
        }
        for site in &told.explanation.sites {
            let relation = match site.relation {
                SiteRelation::Same => {
                    self.word("the same, not grown: linked, not shown again", "同一点位，未扩大：关联，不重复显示")
                }
                SiteRelation::Grown => self.word("the same, grown: linked, and shown", "同一点位，已扩大：关联并显示"),
                SiteRelation::Relapse => self.word("closed: a relapse is possible, shown", "已销号：可能反弹，显示"),
                SiteRelation::Undecided => self.word("nothing was decided there: shown", "此前未定论：显示"),
                SiteRelation::Beside => self.word("too little in common", "重叠过小"),
            };
            self.line(&format!(
                "{} {}: {:.1} %, {:.2} m², {relation}",
                site.site,
                site.status,
                site.share * 100.0,
                site.area_m2
            ));
        }
    }

    fn responsibility(&mut self, told: &Assessment) {
        self.heading("Responsibility", "责任");
        for level in AdministrativeLevel::ALL {
            if let Some(name) = told.chief(level) {
                let line =
                    format!("{} {name}", self.word("chief, ", "河长，").to_owned() + level_name(level, self.language));
                self.line(&line);
            }
        }
        let lead = told.lead_department.as_deref().unwrap_or(self.word("not known", "未知"));
        let line = format!("{} {lead}", self.word("lead:", "牵头："));
        self.line(&line);
        if !told.supporting_departments.is_empty() {
            let line = format!("{} {}", self.word("supporting:", "配合："), told.supporting_departments.join(", "));
            self.line(&line);
        }
        for unit in &told.co_notified {
            let line = format!("{} {} {}", self.word("also told:", "抄送："), unit.code, unit.name);
            self.line(&line);
        }
        if let Some(deadline) = told.deadline {
            let line = format!("{} {deadline}", self.word("first answer by", "首次答复期限"));
            self.line(&line);
        }
    }

    fn notes(&mut self, told: &Assessment) {
        if told.explanation.notes.is_empty() {
            return;
        }
        self.heading("Notes", "说明");
        for note in &told.explanation.notes {
            let line = note_text(note, self.language);
            self.line(&line);
        }
    }

    fn provenance(&mut self, told: &Assessment) {
        let from = &told.explanation.provenance;
        self.heading("Provenance", "来源");
        let lines = [
            format!(
                "{} {} {} {}",
                self.word("earlier pass", "前时相"),
                from.pre_date,
                from.pre_sensor,
                from.pre_pass_id.short()
            ),
            format!(
                "{} {} {} {}",
                self.word("later pass", "后时相"),
                from.post_date,
                from.post_sensor,
                from.post_pass_id.short()
            ),
            format!("{} {} {}", self.word("model", "模型"), from.model, from.model_digest.short()),
            format!(
                "{} {} · {} {} · shorewatch {}",
                self.word("configuration", "配置"),
                from.configuration_digest.short(),
                self.word("rules", "规则"),
                from.rules_digest.short(),
                from.program_version
            ),
        ];
        lines.iter().for_each(|line| self.line(line));
        let versions: Vec<String> =
            from.layer_versions.iter().map(|(layer, version)| format!("{layer} v{version}")).collect();
        let line = format!("{} {}", self.word("layers", "图层"), versions.join(", "));
        self.line(&line);
    }
}
