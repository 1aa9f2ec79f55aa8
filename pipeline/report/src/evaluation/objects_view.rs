//! Scores on objects as the page shows them.

use super::ObjectScores;
use super::holdout_view::{NOT_MEASURED, reasons};
use super::page::{Figure, KindRow, Measured, ObjectsView, SizeRow, SizeTable};
use crate::report::format::{bar, number, words};

const NO_OBJECTS: &str = "there is no object of this size";
const NO_FINDINGS: &str = "there is no finding of this size";
const NO_KIND: &str = "there is no object of this kind";
const NONE_FOUND: &str = "none of this kind is found, so none can be named";

pub(super) fn objects_view(objects: &ObjectScores) -> ObjectsView {
    let tables: Vec<SizeTable> =
        [recall_table(objects), precision_table(objects)].into_iter().filter(|table| !table.rows.is_empty()).collect();
    let kinds: Vec<KindRow> = objects.by_kind.iter().map(kind_row).collect();
    let in_tables = tables.iter().flat_map(|table| &table.rows).map(|row| &row.score);
    let missing = reasons(in_tables.chain(kinds.iter().flat_map(|row| [&row.recall, &row.named])));
    ObjectsView { explanation: objects.explanation.clone(), figures: figures(objects), tables, kinds, missing }
}

fn figures(objects: &ObjectScores) -> Vec<Figure> {
    let figure = |value, label: &str, note: &str| Figure { value, label: label.to_owned(), note: note.to_owned() };
    let score = |value| Measured::score(value, NOT_MEASURED);
    vec![
        figure(score(objects.recall), "recall", "share of the objects that are found"),
        figure(score(objects.precision), "precision", "share of the findings that are right"),
        figure(score(objects.named_share), "named", "of those found, the share of the right kind"),
        figure(
            Measured::percent(objects.false_share_of_plain_ground, NOT_MEASURED),
            "of plain ground is wrong",
            "pixels without any object, taken for one",
        ),
        figure(Measured::whole(objects.images as f64), "images", "with and without objects"),
    ]
}

fn recall_table(objects: &ObjectScores) -> SizeTable {
    let row = |row: &super::ObjectSizeScore| size_row(&row.label, row.objects, row.found, row.recall, NO_OBJECTS);
    SizeTable {
        caption: "Recall by size of the object",
        columns: ["Size", "Objects", "Found", "Recall"],
        rows: objects.recall_by_size.iter().map(row).collect(),
    }
}

fn precision_table(objects: &ObjectScores) -> SizeTable {
    let row = |row: &super::FindingSizeScore| size_row(&row.label, row.findings, row.right, row.precision, NO_FINDINGS);
    SizeTable {
        caption: "Precision by size of the finding",
        columns: ["Size", "Findings", "Right", "Precision"],
        rows: objects.precision_by_size.iter().map(row).collect(),
    }
}

fn size_row(label: &str, whole: u64, part: u64, score: Option<f64>, why_missing: &'static str) -> SizeRow {
    SizeRow {
        label: label.to_owned(),
        whole: number(whole as f64, 0),
        part: number(part as f64, 0),
        score: Measured::score(score, why_missing),
        bar_percent: bar(score.unwrap_or(0.0), 1.0),
    }
}

fn kind_row(kind: &super::ObjectKindScore) -> KindRow {
    KindRow {
        name: words(&kind.name),
        objects: number(kind.objects as f64, 0),
        recall: Measured::score(kind.recall, NO_KIND),
        recall_bar_percent: bar(kind.recall.unwrap_or(0.0), 1.0),
        named: Measured::score(kind.named, NONE_FOUND),
        named_bar_percent: bar(kind.named.unwrap_or(0.0), 1.0),
    }
}
