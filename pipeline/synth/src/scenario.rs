//! What is to be painted: the scene, its passes and its events.

use crate::error::SynthError;
use crate::series::EventKind;
use serde::{Deserialize, Serialize};

/// Smallest scene edge in metres that holds a river, a lake, a town and events beside each other.
const MIN_EDGE_M: f64 = 2_000.0;

/// A scene to paint. The same scenario gives the same bits on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Names the landscape and every chance in it.
    pub seed: u64,
    /// Height of the passes in pixels.
    pub rows: usize,
    /// Width of the passes in pixels.
    pub cols: usize,
    /// Edge of a pixel on the ground in metres; sizes in the landscape are in metres and do not change with it.
    pub pixel_size_m: f64,
    /// Mean width of the river in metres.
    pub river_width_m: f64,
    /// Length along the river of one full meander (two bends) in metres.
    pub meander_length_m: f64,
    /// The acquisitions, oldest first.
    pub passes: Vec<PassPlan>,
    /// What happens, and when.
    pub events: Vec<EventPlan>,
}

/// One acquisition to paint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassPlan {
    /// Time of acquisition, RFC 3339, UTC.
    pub acquired_at: String,
    /// Share of the year that is over, 0–1: sets crops and the tone of leaves.
    pub season: f64,
    /// Water level of the river in metres above its mean.
    pub water_level_m: f64,
    /// How far the picture lies from its true place, in pixels (right, down).
    pub shift_px: (f64, f64),
    /// Largest radiometric drift of a band, as a share (0.05 is ±5 %).
    pub drift: f64,
    /// Mean share of haze in the signal, 0–1.
    pub haze: f64,
    /// How many clouds drift over the scene, besides those that hide an event.
    pub clouds: usize,
    /// Width of the corner wedge outside the swath, as a share of the scene's width; 0 for none.
    pub swath_gap: f64,
}

/// One event to place. The place follows from the seed, the kind of site and the landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventPlan {
    /// What happens.
    pub kind: EventKind,
    /// On what ground.
    pub site: Site,
    /// Index of the first pass in which it exists.
    pub first_pass: usize,
    /// Whether a cloud lies over it in that pass.
    pub hidden_at_first: bool,
    /// Index of the first pass in which it was cleared away again, and the ground is as it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_pass: Option<usize>,
}

/// The ground that an event takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Half in the river, half on its bank, inside a reach.
    RiverBank,
    /// In the lake, at its edge, inside a reach.
    LakeShore,
    /// Vegetation along the river, inside a reach.
    Floodplain,
    /// A green field inside a reach.
    Field,
    /// Vegetation or fields outside every reach: nobody's business here.
    OutsideReaches,
}

impl Site {
    /// The name used in files and errors: snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::RiverBank => "river_bank",
            Self::LakeShore => "lake_shore",
            Self::Floodplain => "floodplain",
            Self::Field => "field",
            Self::OutsideReaches => "outside_reaches",
        }
    }
}

fn event(kind: EventKind, site: Site, first_pass: usize) -> EventPlan {
    EventPlan { kind, site, first_pass, hidden_at_first: false, cleared_pass: None }
}

fn pass(day: &str, season: f64, water_level_m: f64, shift_px: (f64, f64)) -> PassPlan {
    PassPlan {
        acquired_at: format!("{day}T02:51:19Z"),
        season,
        water_level_m,
        shift_px,
        drift: 0.04,
        haze: 0.03,
        clouds: 4,
        swath_gap: 0.0,
    }
}

impl Scenario {
    /// The scene of the demonstration: 768 × 1024 pixels of 10 m, four passes, eight suspected events
    /// and harmless ones beside them.
    pub fn demo() -> Self {
        use EventKind::{Building, Dump, Occupation, Ploughing, SandPit};
        let mut passes = vec![
            pass("2024-04-18", 0.30, 0.10, (0.0, 0.0)),
            pass("2024-06-22", 0.47, 0.75, (0.32, -0.21)),
            pass("2024-08-26", 0.65, 0.35, (-0.38, 0.17)),
            pass("2024-10-30", 0.83, -0.55, (0.14, 0.36)),
        ];
        passes[0].clouds = 2;
        passes[1].haze = 0.07;
        passes[2].swath_gap = 0.16;
        passes[3].clouds = 3;
        passes[3].drift = 0.06;
        Self {
            seed: 20_240_418,
            rows: 768,
            cols: 1024,
            pixel_size_m: 10.0,
            river_width_m: 300.0,
            meander_length_m: 4_600.0,
            passes,
            events: vec![
                event(Occupation, Site::LakeShore, 1),
                event(SandPit, Site::Floodplain, 1),
                event(Building, Site::Floodplain, 1),
                EventPlan { hidden_at_first: true, ..event(Dump, Site::Floodplain, 2) },
                event(Occupation, Site::RiverBank, 2),
                event(SandPit, Site::Floodplain, 3),
                event(Building, Site::Floodplain, 3),
                event(Dump, Site::Floodplain, 3),
                event(Ploughing, Site::Field, 1),
                event(Ploughing, Site::Field, 2),
                event(Building, Site::OutsideReaches, 2),
                event(SandPit, Site::OutsideReaches, 3),
            ],
        }
    }

    /// A small scene for tests: 256 × 256 pixels of 10 m, three passes, one event of each kind.
    pub fn small() -> Self {
        use EventKind::{Building, Dump, Occupation, Ploughing, SandPit};
        let mut passes = vec![
            pass("2024-04-18", 0.30, 0.10, (0.0, 0.0)),
            pass("2024-06-22", 0.47, 0.60, (0.30, -0.20)),
            pass("2024-10-30", 0.83, -0.40, (-0.35, 0.15)),
        ];
        passes[0].clouds = 0;
        passes[1].clouds = 1;
        passes[2].clouds = 1;
        passes[2].swath_gap = 0.15;
        Self {
            seed: 7,
            rows: 256,
            cols: 256,
            pixel_size_m: 10.0,
            river_width_m: 190.0,
            meander_length_m: 3_200.0,
            passes,
            events: vec![
                EventPlan { hidden_at_first: true, ..event(Dump, Site::Floodplain, 1) },
                event(Occupation, Site::LakeShore, 1),
                event(Building, Site::Floodplain, 1),
                event(SandPit, Site::Floodplain, 2),
                event(Ploughing, Site::Field, 1),
                event(Building, Site::OutsideReaches, 2),
            ],
        }
    }

    /// The scene of closures: that of [`Scenario::small`] with two events that are there for two passes, and a fourth pass in
    /// which one of them was cleared away and the other one was not.
    pub fn closures() -> Self {
        use EventKind::{Building, Dump, SandPit};
        let small = Self::small();
        let mut passes = vec![
            pass("2024-04-18", 0.30, 0.10, (0.0, 0.0)),
            pass("2024-06-22", 0.47, 0.30, (0.30, -0.20)),
            pass("2024-07-20", 0.55, 0.20, (-0.25, 0.15)),
            pass("2024-09-10", 0.69, 0.10, (0.10, 0.20)),
        ];
        for pass in &mut passes {
            pass.clouds = 0;
        }
        let events = vec![
            EventPlan { cleared_pass: Some(3), ..event(Building, Site::Floodplain, 1) },
            event(SandPit, Site::Floodplain, 1),
            event(Dump, Site::Floodplain, 2),
        ];
        Self { passes, events, ..small }
    }

    /// Names every fault of the scenario at once.
    ///
    /// # Errors
    /// [`SynthError::InvalidScenario`] with one line a fault.
    pub fn check(&self) -> Result<(), SynthError> {
        let mut faults = Vec::new();
        let mut hold = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let edge_m = self.rows.min(self.cols) as f64 * self.pixel_size_m;
        hold(
            self.pixel_size_m.is_finite() && self.pixel_size_m > 0.0,
            format!("pixel_size_m is {}, expected more than 0", self.pixel_size_m),
        );
        hold(
            edge_m >= MIN_EDGE_M,
            format!("the shorter edge is {edge_m} m, expected at least {MIN_EDGE_M} m: paint more pixels"),
        );
        hold(
            self.river_width_m > 0.0 && self.river_width_m * 8.0 <= self.meander_length_m,
            format!(
                "river_width_m is {}, expected more than 0 and at most an eighth of meander_length_m ({})",
                self.river_width_m, self.meander_length_m
            ),
        );
        hold(
            self.meander_length_m <= 1.5 * edge_m,
            format!(
                "meander_length_m is {}, expected at most 1.5 times the shorter edge ({edge_m} m)",
                self.meander_length_m
            ),
        );
        hold(self.passes.len() >= 2, format!("{} pass(es), expected at least 2 to compare", self.passes.len()));
        for (index, pass) in self.passes.iter().enumerate() {
            hold_pass(&mut hold, index, pass);
        }
        for (index, event) in self.events.iter().enumerate() {
            hold(
                (1..self.passes.len()).contains(&event.first_pass),
                format!(
                    "events[{index}].first_pass is {}, expected 1 to {} so that an earlier pass shows the ground before",
                    event.first_pass,
                    self.passes.len().saturating_sub(1)
                ),
            );
            hold(
                event.cleared_pass.is_none_or(|cleared| cleared > event.first_pass),
                format!("events[{index}].cleared_pass is {:?}, expected one after first_pass", event.cleared_pass),
            );
            hold(
                event.kind != EventKind::BarGrowth,
                format!("events[{index}] is bar_growth, which the river does by itself: leave it out"),
            );
        }
        if faults.is_empty() { Ok(()) } else { Err(SynthError::InvalidScenario { faults }) }
    }
}

fn hold_pass(hold: &mut impl FnMut(bool, String), index: usize, pass: &PassPlan) {
    let shares = [
        ("season", pass.season, 1.0),
        ("drift", pass.drift, 0.3),
        ("haze", pass.haze, 0.5),
        ("swath_gap", pass.swath_gap, 0.5),
    ];
    for (name, value, most) in shares {
        hold((0.0..=most).contains(&value), format!("passes[{index}].{name} is {value}, expected 0 to {most}"));
    }
    hold(
        pass.water_level_m.abs() <= 1.5,
        format!("passes[{index}].water_level_m is {}, expected -1.5 to 1.5", pass.water_level_m),
    );
    hold(
        pass.shift_px.0.abs() <= 1.0 && pass.shift_px.1.abs() <= 1.0,
        format!("passes[{index}].shift_px is {:?}, expected -1 to 1 each way", pass.shift_px),
    );
    hold(
        pass.acquired_at.len() >= 20 && pass.acquired_at.ends_with('Z') && pass.acquired_at.is_ascii(),
        format!(
            "passes[{index}].acquired_at is {:?}, expected RFC 3339 in UTC such as 2024-04-18T02:51:19Z",
            pass.acquired_at
        ),
    );
}
