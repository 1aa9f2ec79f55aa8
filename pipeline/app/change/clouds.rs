//! Clouds of passes whose sensor has no quality band, told from the pixels of the pair.

use shorewatch_domain::grid::{Cell, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::radiometry::clouds::{CloudMap, CloudSettings, PairBlocks, WhiteScale};
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::{BandRole, DataType, Radiometry, SensorProfile};

use super::fit::both;
use super::pair::PairWindow;
use crate::failure::Failure;

/// Edge of the blocks that clouds are told from: what the detection was measured with.
const BLOCK_PX: usize = 4;

/// Edge of the windows that are read for it; a multiple of [`BLOCK_PX`].
const READ_PX: usize = 512;

/// Clouds and their shadows over what both passes cover.
#[derive(Clone, Debug)]
pub struct PairClouds {
    map: CloudMap,
    /// What the map covers: the squares that meet the overlap of both passes.
    whole: Window,
    /// Which of the two dates are masked: those without a quality band.
    masked: [bool; 2],
}

/// A pass and its sensor.
pub type Source<'a> = (&'a Pass, &'a SensorProfile);

impl PairClouds {
    /// Looks over the whole `overlap` of two passes; `read` reads both in a window, and `done` gets that back. `None` where both
    /// have a quality band, whose word counts, where their bands can't tell, or where nothing is hidden.
    ///
    /// # Errors
    /// As `read`.
    pub fn of(
        [before, after]: [Source<'_>; 2],
        roles: &[BandRole],
        overlap: Window,
        mut read: impl FnMut(Window) -> Result<PairWindow, Failure>,
        mut done: impl FnMut(PairWindow),
    ) -> Result<Option<Self>, Failure> {
        let masked = [before.1, after.1].map(|profile| profile.quality.is_none());
        if masked == [false, false] {
            return Ok(None);
        }
        // on the lattice of the squares that are read, so that none cuts a block, and files that lie on the grid are read tile by tile
        let squares = Cell::meeting(overlap, READ_PX).map(|cell| cell.window(READ_PX));
        let whole = overlap.out_to(READ_PX);
        let mut blocks = PairBlocks::new(roles.len(), whole.rows, whole.cols, BLOCK_PX);
        for place in squares.filter_map(|square| square.intersection(&overlap)) {
            let window = read(place)?;
            let PairWindow { before, after, .. } = &window;
            let observed = both(before.causes.view(), after.causes.view());
            let corner = ((place.row - whole.row) as usize, (place.col - whole.col) as usize);
            blocks.add(corner, before.pixels.view(), after.pixels.view(), observed.view());
            done(window);
        }
        let scales = [white_scale(before, roles), white_scale(after, roles)];
        let map = CloudMap::of(&blocks, roles, [&scales[0], &scales[1]], &CloudSettings::default());
        Ok(map.filter(|map| !map.is_clear()).map(|map| Self { map, whole, masked }))
    }

    /// What hides a pixel of the grid on the earlier and on the later date.
    #[must_use]
    pub fn at(&self, row: i64, col: i64) -> [Causes; 2] {
        let inside = (usize::try_from(row - self.whole.row), usize::try_from(col - self.whole.col));
        let (Ok(row), Ok(col)) = inside else { return [Causes::OBSERVED; 2] };
        let [before, after] = self.map.at(row, col);
        [if self.masked[0] { before } else { Causes::OBSERVED }, if self.masked[1] { after } else { Causes::OBSERVED }]
    }

    /// Takes what is hidden out of both dates.
    pub fn mask(&self, window: &mut PairWindow) {
        for (date, raster) in [&mut window.before, &mut window.after].into_iter().enumerate() {
            self.mask_date(date, raster);
        }
    }

    fn mask_date(&self, date: usize, raster: &mut Raster) {
        let Window { row, col, .. } = raster.window;
        for ((down, right), cause) in raster.causes.indexed_iter_mut() {
            *cause |= self.at(row + down as i64, col + right as i64)[date];
        }
    }
}

/// What black and white are on a date: those of reflectance, or what the ends of a picture's range were brought to.
fn white_scale((pass, profile): Source<'_>, roles: &[BandRole]) -> WhiteScale {
    let mut scale = WhiteScale::reflectance(roles.len());
    // only of 8 bits the ends of the range mean black and white
    if profile.data_type != DataType::Uint8 {
        return scale;
    }
    for (place, role) in roles.iter().enumerate() {
        let fitted = pass.fitted.iter().find(|band| band.role == *role).map(|band| (band.scale, band.offset));
        let linear = profile.band(*role).and_then(|band| match band.radiometry {
            Radiometry::Linear { scale, offset } => Some((scale, offset)),
            Radiometry::DisplayStretch { .. } => None,
        });
        if let Some((slope, offset)) = fitted.or(linear) {
            scale.black[place] = offset as f32;
            scale.white[place] = (255.0 * slope + offset) as f32;
        }
    }
    scale
}
