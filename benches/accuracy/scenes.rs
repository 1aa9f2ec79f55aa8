//! Pairs of real passes on one lattice, and what is done to them.

use std::error::Error;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, s};

use shorewatch::change::ground_sampling_distance_m;
use shorewatch::change::pair::{Delivered, Pair, PairWindow};
use shorewatch::change::scorer::{ChangeScorer, Models};
use shorewatch::configuration::built_in_sensor;
use shorewatch::evaluation::composites::{Textures, is_visible, texture};
use shorewatch::evaluation::holdout::Holdout;
use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::registration::moved;
use shorewatch_domain::sensor::{BandRole, SensorProfile};
use shorewatch_synth::plant::{Ground, PlantKind, Planting, Scatter, plant as paint, scatter};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// A pixel beside a planted thing: neither it nor plain ground.
pub(crate) const DOUBT: u16 = u16::MAX;

/// Things drawn for each pair, at most; those without room are left out.
const THINGS: usize = 60;
/// Smallest and largest thing in pixels.
const SIZES_PX: (f64, f64) = (4.0, 400.0);
/// Sizes are meant in pixels: the painter is told of pixels of ten metres, those of the galleries.
const PIXEL_M: f64 = 10.0;
/// Of so many things one stood on the earlier date only.
const REMOVED_EVERY: u64 = 4;
/// The part of its area that a thing that grows has on each of three passes.
pub(crate) const GROWTH: [f64; 3] = [1.0 / 3.0, 2.0 / 3.0, 1.0];
/// How bright water is in the near infrared at most, and how much darker than in green: good enough to float cages on.
const WATER_NIR_MAX: f32 = 0.12;

/// Earlier dates that a later one is held against.
const EARLIER: usize = 3;

/// Models and textures.
pub(crate) struct Kit {
    pub(crate) textures: Textures,
    prairie: ChangeScorer,
    ucayali: ChangeScorer,
}

impl Kit {
    pub(crate) fn open(data: &Path) -> Result<Self, Box<dyn Error>> {
        let models = Path::new("models");
        let holdout: Holdout = serde_json::from_str(&std::fs::read_to_string(models.join("shoreland/holdout.json"))?)?;
        let scorer = |set: &str| -> Result<ChangeScorer, Box<dyn Error>> {
            let scenes = pairs_of(data, set)?;
            let pair = scenes.first().ok_or("no pair")?.open_first().map_err(|fault| fault.to_string())?;
            let models = Models { folder: models, segmentation: "shoreland", bitemporal: "shorechange" };
            Ok(ChangeScorer::open(&models, &pair.roles, ground_sampling_distance_m(&pair)?)?)
        };
        Ok(Self {
            textures: Textures::read(&data.join("mining-gallery"), &holdout.galleries)?,
            prairie: scorer("naip-prairie")?,
            ucayali: scorer("landsat-ucayali")?,
        })
    }

    pub(crate) fn scorer(&self, scene: &Scene) -> &ChangeScorer {
        if scene.set == "naip-prairie" { &self.prairie } else { &self.ucayali }
    }
}

/// Two dates, and those that follow.
pub(crate) struct Scene {
    pub(crate) set: &'static str,
    pub(crate) name: String,
    /// Whether it counts: weights were fitted on the others.
    pub(crate) judged: bool,
    profile: SensorProfile,
    /// The earlier passes, latest first.
    before: Vec<PathBuf>,
    after: PathBuf,
    /// Up to two passes after the later one.
    pub(crate) later: Vec<PathBuf>,
}

/// One window of all dates with the margin that scoring needs.
#[derive(Clone)]
pub(crate) struct Read {
    /// The earlier dates, latest first.
    pub(crate) before: Vec<Raster>,
    pub(crate) after: Raster,
}

impl Read {
    /// The later date on both sides.
    pub(crate) fn against_itself(&self) -> Self {
        Self { before: vec![self.after.clone()], after: self.after.clone() }
    }

    /// The later date with the earlier one number `number`.
    pub(crate) fn pair(&self, number: usize) -> PairWindow {
        PairWindow { before: self.before[number].clone(), after: self.after.clone(), faults: Vec::new() }
    }
}

pub(crate) fn all(data: &Path) -> Result<Vec<Scene>, Box<dyn Error>> {
    let mut scenes = pairs_of(data, "naip-prairie")?;
    scenes.extend(pairs_of(data, "landsat-ucayali")?);
    Ok(scenes)
}

fn pairs_of(data: &Path, set: &str) -> Result<Vec<Scene>, Box<dyn Error>> {
    let (set, sensor) =
        if set == "naip-prairie" { ("naip-prairie", "naip-prairie") } else { ("landsat-ucayali", "ucayali-stretch") };
    let profile = built_in_sensor(sensor).ok_or("a built-in sensor")?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(data.join(set))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "tif"))
        .collect();
    files.sort();
    let stem = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stem.rsplit('_').next().unwrap_or_default().to_owned()
    };
    let pairs = files.len() - 1;
    Ok((0..pairs)
        .map(|i| Scene {
            set,
            name: format!("{} → {}", stem(&files[i]), stem(&files[i + 1])),
            judged: i >= pairs / 2,
            profile: profile.clone(),
            before: files[(i + 1).saturating_sub(EARLIER)..=i].iter().rev().cloned().collect(),
            after: files[i + 1].clone(),
            later: files[(i + 2).min(files.len())..(i + 4).min(files.len())].to_vec(),
        })
        .collect())
}

impl Scene {
    /// The later pass with another one on the earlier side, whenever that was taken: all lie on the later one's lattice.
    fn open(&self, other: &PathBuf) -> Result<Pair, Fault> {
        let deliver = |name, files| Delivered { name, files, profile: &self.profile };
        let (before, after) = (std::slice::from_ref(other), std::slice::from_ref(&self.after));
        Ok(Pair::open(&deliver("before", before), &deliver("after", after)).map_err(|fault| fault.to_string())?)
    }

    fn open_first(&self) -> Result<Pair, Fault> {
        self.open(self.before.first().ok_or("no earlier pass")?)
    }

    fn read_with(&self, kit: &Kit, other: &PathBuf) -> Result<PairWindow, Fault> {
        let pair = self.open(other)?;
        let window = pair.window.grown(kit.scorer(self).margin_px());
        Ok(pair.read(window).map_err(|fault| fault.to_string())?)
    }

    pub(crate) fn read(&self, kit: &Kit) -> Result<Read, Fault> {
        let mut windows = self.before.iter().map(|other| self.read_with(kit, other)).collect::<Result<Vec<_>, _>>()?;
        let after = windows.first().ok_or("no earlier pass")?.after.clone();
        Ok(Read { before: windows.drain(..).map(|window| window.before).collect(), after })
    }

    /// The earlier dates with each of the passes that follow, on the lattice of the pair's later one.
    pub(crate) fn read_later(&self, kit: &Kit) -> Result<Vec<Read>, Fault> {
        let first = self.read(kit)?;
        let with = |other| Ok(Read { before: first.before.clone(), after: self.read_with(kit, other)?.before });
        self.later.iter().map(with).collect()
    }
}

fn band(raster: &Raster, role: BandRole) -> Option<usize> {
    raster.roles.iter().position(|other| *other == role)
}

fn water(raster: &Raster) -> Array2<bool> {
    let (Some(green), Some(nir)) = (band(raster, BandRole::Green), band(raster, BandRole::Nir)) else {
        return Array2::from_elem(raster.causes.dim(), false);
    };
    Array2::from_shape_fn(raster.causes.dim(), |(row, col)| {
        let (green, nir) = (raster.pixels[(green, row, col)], raster.pixels[(nir, row, col)]);
        raster.causes[(row, col)].is_observed() && nir < WATER_NIR_MAX && nir < green
    })
}

/// A window in which nothing was planted, with its truth.
pub(crate) fn bare(read: &Read) -> (Read, Array2<u16>) {
    (read.clone(), Array2::zeros(read.after.causes.dim()))
}

/// Plants things on the later date, and some on the earlier one only. Truth (row, col) of the window with its margin: number
/// of the thing from 1, 0 for ground, [`DOUBT`] at edges and in shadows.
pub(crate) fn plant(kit: &Kit, read: &Read, number: u64) -> Result<(Read, Array2<u16>), Fault> {
    let mut made = read.clone();
    let truth = plant_into(kit, &mut made, read, number, Stage::Whole)?;
    Ok((made, truth))
}

/// Whether a thing of a truth stood on the earlier dates only.
pub(crate) fn is_removal(thing: u16) -> bool {
    u64::from(thing) % REMOVED_EVERY == 0
}

/// The things that stand out on `like`, none of them removed, with `share` of their area on the later date of `read`; and their
/// truth.
pub(crate) fn plant_growing(kit: &Kit, read: &Read, like: &Read, share: f64) -> Result<(Read, Array2<u16>), Fault> {
    let mut made = read.clone();
    let truth = plant_into(kit, &mut made, like, 0, Stage::Growing(share))?;
    Ok((made, truth))
}

/// The same things on another later date of the same ground.
pub(crate) fn plant_again(kit: &Kit, next: &Read, like: &Read, number: u64) -> Result<Read, Fault> {
    let mut made = next.clone();
    plant_into(kit, &mut made, like, number, Stage::Whole)?;
    Ok(made)
}

/// How things are planted.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Whole, some on the earlier dates only.
    Whole,
    /// On the later date only, with a share of their area.
    Growing(f64),
}

fn plant_into(kit: &Kit, made: &mut Read, like: &Read, number: u64, stage: Stage) -> Result<Array2<u16>, Fault> {
    let seen = |raster: &Raster| raster.causes.mapv(Causes::is_observed);
    let allowed = ndarray::Zip::from(&seen(&like.before[0]))
        .and(&seen(&like.after))
        .map_collect(|before, after| *before && *after);
    let plan = Scatter {
        seed: 40_001 + number,
        count: THINGS,
        kinds: PlantKind::OBJECTS.to_vec(),
        smallest_px: SIZES_PX.0,
        largest_px: SIZES_PX.1,
        ground_sampling_distance_m: PIXEL_M,
    };
    let mut truth = Array2::zeros(allowed.dim());
    let roles = like.after.roles.clone();
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    for (index, thing) in (0_u64..).zip(scatter(&plan, water(&like.after).view(), allowed.view())) {
        let removed = stage == Stage::Whole && is_removal(index as u16 + 1);
        let put = |raster: &mut Raster, thing: &Planting| {
            let mut ground =
                Ground { reflectance: raster.pixels.view_mut(), roles: &names, ground_sampling_distance_m: PIXEL_M };
            paint(&mut ground, thing, texture(&kit.textures, thing).as_ref()).map_err(|fault| fault.to_string())
        };
        // a thing that stands out on the pair's own dates is planted on every date of a series
        let plain = if removed { &like.before[0] } else { &like.after };
        let mut judge = plain.clone();
        let mut planted = put(&mut judge, &thing)?;
        if !is_visible(&planted, plain.pixels.view(), judge.pixels.view(), &roles) {
            continue;
        }
        let mut standing = thing;
        if let Stage::Growing(share) = stage {
            standing.area_m2 *= share;
            if standing.area_m2 < SIZES_PX.0 * PIXEL_M * PIXEL_M {
                // too small to be planted yet
                continue;
            }
        }
        // what was removed stood on all earlier dates, which every pair of a series shares
        let sides = if removed { made.before.iter_mut() } else { std::slice::from_mut(&mut made.after).iter_mut() };
        for side in sides {
            planted = put(side, &standing)?;
        }
        for (place, &covered) in planted.truth.indexed_iter() {
            let at = (place.0 + planted.top_row, place.1 + planted.left_column);
            if covered && allowed[at] {
                truth[at] = index as u16 + 1;
            } else if planted.doubt[place] {
                truth[at] = DOUBT;
            }
        }
    }
    Ok(truth)
}

/// What must neither hide a change nor look like one.
#[derive(Clone, Copy)]
pub(crate) enum Disturbance {
    None,
    Shift,
    Gain,
    Cloud,
    Water,
}

impl Disturbance {
    pub(crate) const ALL: [Self; 5] = [Self::None, Self::Shift, Self::Gain, Self::Cloud, Self::Water];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "as_it_is",
            Self::Shift => "shift_1.5px",
            Self::Gain => "gain_20pct",
            Self::Cloud => "cloud_30pct",
            Self::Water => "water_2px",
        }
    }

    /// The window with the later date disturbed.
    pub(crate) fn applied(self, mut read: Read) -> Read {
        match self {
            Self::None => {}
            Self::Shift => {
                // along a diagonal, 1.5 px in all; the earlier date moves, so that the truth stays where it is
                for before in &mut read.before {
                    let seen = before.causes.mapv(Causes::is_observed);
                    let step = 1.5 / std::f32::consts::SQRT_2;
                    let (pixels, seen) = moved(before.pixels.view(), seen.view(), step, -step);
                    before.pixels = pixels;
                    before.causes.zip_mut_with(&seen, |cause, seen| {
                        if !seen {
                            *cause |= Causes::OUTSIDE;
                        }
                    });
                }
            }
            Self::Gain => read.after.pixels.mapv_inplace(|value| value * 1.2),
            Self::Cloud => {
                // squares of 48 px, three of ten of them
                const SQUARE: usize = 48;
                let after = &mut read.after;
                for ((row, col), cause) in after.causes.indexed_iter_mut() {
                    let number = (row / SQUARE).wrapping_mul(7919).wrapping_add((col / SQUARE).wrapping_mul(104_729));
                    if number % 10 < 3 {
                        *cause |= Causes::CLOUD;
                        after.pixels.slice_mut(s![.., row, col]).fill(0.0);
                    }
                }
            }
            Self::Water => flood(&mut read.after),
        }
        read
    }
}

/// Water rises: ground within two pixels of water becomes what that water is.
fn flood(raster: &mut Raster) {
    const REACH: usize = 2;
    let wet = water(raster);
    let source: Array3<f32> = raster.pixels.clone();
    let (rows, cols) = wet.dim();
    // pixels of water that are surrounded by water: a single dark pixel is none
    let open = |row: usize, col: usize| {
        let (top, left) = (row.saturating_sub(1), col.saturating_sub(1));
        wet.slice(s![top..(row + 2).min(rows), left..(col + 2).min(cols)]).iter().filter(|wet| **wet).count() >= 7
    };
    for row in REACH..rows.saturating_sub(REACH) {
        for col in REACH..cols.saturating_sub(REACH) {
            if wet[(row, col)] || !raster.causes[(row, col)].is_observed() {
                continue;
            }
            let near = (row - REACH..=row + REACH).flat_map(|r| (col - REACH..=col + REACH).map(move |c| (r, c)));
            if let Some((r, c)) = near.into_iter().find(|&(r, c)| open(r, c)) {
                let value = source.slice(s![.., r, c]).to_owned();
                raster.pixels.slice_mut(s![.., row, col]).assign(&value);
            }
        }
    }
}
