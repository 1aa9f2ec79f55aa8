//! Where the edges of one date lie on those of another: a peak of their correlation, whole pixels first.

use std::sync::Arc;

use ndarray::{Array2, Zip, s};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::edges::{Edges, eroded};
use super::{SEARCH_PX, Shift, overlap};

/// Smallest edge of a tile in pixels: less than this cannot hold the search range and a ring of noise around it.
pub(super) const MIN_EDGE_PX: usize = 48;

/// Least part of a tile that must be seen on both dates.
pub(super) const MIN_SEEN: f32 = 0.2;

/// A peak is clear where it stands this many times above the noise of the correlation. Of the 17 × 17 places that are
/// searched, the highest stands 3 times above it by chance.
const MIN_SIGNIFICANCE: f32 = 5.5;

/// A peak is clear where the next one stays below this part of it: along a single straight edge it does not.
const MAX_SECOND: f32 = 0.75;

/// What still belongs to a peak, in pixels from its top.
pub(super) const PEAK_RADIUS_PX: i32 = 3;

/// Width in pixels of the ring around the search range in which the noise of the correlation is measured.
const RING_PX: i32 = 14;

/// Margin in pixels that is kept free of unobserved neighbours in the sub-pixel step: a shift changes no overlap there.
const MARGIN_PX: usize = 2;

/// Steps of Newton's method at most, and the step in pixels that ends it.
const NEWTON_STEPS: usize = 12;
const NEWTON_END_PX: f32 = 1e-3;

/// Farthest in pixels that the top of the peak may lie from the highest whole pixel, along one axis.
const MAX_FROM_WHOLE_PX: f32 = 1.0;

/// Plans for square tiles of one size, and the frequencies that they yield.
pub(super) struct Transform {
    edge: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
    turned: Vec<Complex32>,
    /// Angular frequency in radians a pixel of each place in a spectrum; 0 at the Nyquist frequency, which has no sign.
    frequencies: Vec<f32>,
}

impl Transform {
    pub(super) fn new(edge: usize) -> Self {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(edge), planner.plan_fft_inverse(edge));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let frequency = |place: usize| {
            let cycles = if 2 * place < edge { place as f32 } else { place as f32 - edge as f32 };
            if 2 * place == edge { 0.0 } else { std::f32::consts::TAU * cycles / edge as f32 }
        };
        Self {
            edge,
            forward,
            inverse,
            scratch: vec![Complex32::ZERO; scratch],
            turned: vec![Complex32::ZERO; edge * edge],
            frequencies: (0..edge).map(frequency).collect(),
        }
    }

    /// The spectrum of a field (row, col), as (x frequency, y frequency); beyond the field it is 0.
    fn spectrum(&mut self, field: &Array2<Complex32>) -> Vec<Complex32> {
        let mut buffer = vec![Complex32::ZERO; self.edge * self.edge];
        for (line, buffer) in field.outer_iter().zip(buffer.chunks_exact_mut(self.edge)) {
            for (value, buffer) in line.iter().zip(buffer) {
                *buffer = *value;
            }
        }
        self.both_axes(&mut buffer, false);
        buffer
    }

    /// From (x frequency, y frequency) back to (row, col), times the number of pixels.
    fn field(&mut self, mut spectrum: Vec<Complex32>) -> Vec<Complex32> {
        self.both_axes(&mut spectrum, true);
        spectrum
    }

    /// Transforms both axes and leaves them exchanged.
    fn both_axes(&mut self, buffer: &mut Vec<Complex32>, inverse: bool) {
        let transform = if inverse { &self.inverse } else { &self.forward };
        transform.process_with_scratch(buffer, &mut self.scratch);
        transpose(buffer, &mut self.turned, self.edge);
        transform.process_with_scratch(&mut self.turned, &mut self.scratch);
        std::mem::swap(buffer, &mut self.turned);
    }
}

/// Transposes a square, block by block for the cache's sake.
fn transpose(from: &[Complex32], to: &mut [Complex32], edge: usize) {
    const BLOCK: usize = 16;
    for top in (0..edge).step_by(BLOCK) {
        for left in (0..edge).step_by(BLOCK) {
            for row in top..(top + BLOCK).min(edge) {
                for col in left..(left + BLOCK).min(edge) {
                    to[col * edge + row] = from[row * edge + col];
                }
            }
        }
    }
}

/// The shift between the edges of two dates, in tiles not larger than the transform's.
pub(super) fn shift(fixed: &Edges, moving: &Edges, transform: &mut Transform) -> Option<Shift> {
    let pixels = fixed.field.len() as f32;
    if (fixed.seen_px as f32) < MIN_SEEN * pixels || (moving.seen_px as f32) < MIN_SEEN * pixels {
        return None;
    }
    let peak = whole_pixel_peak(fixed, moving, transform)?;
    sub_pixel_peak(fixed, moving, peak, transform)
}

/// The highest place of the correlation in whole pixels, and how noise shows in it.
struct Peak {
    dx: i32,
    dy: i32,
    /// Root mean square of the correlation where nothing corresponds, in parts of the fields' energy.
    noise: f32,
}

/// Cross-correlation of all pixels that are seen, in parts of the fields' energy: at (row dy, col dx), modulo the edge, that of
/// the moving date dx to the right and dy below.
pub(super) fn correlated(fixed: &Edges, moving: &Edges, transform: &mut Transform) -> Vec<f32> {
    let edge = transform.edge;
    let mut spectrum = transform.spectrum(&moving.field);
    for (moving, fixed) in spectrum.iter_mut().zip(transform.spectrum(&fixed.field)) {
        *moving *= fixed.conj();
    }
    let energy = (energy(&fixed.field) * energy(&moving.field)).sqrt() * (edge * edge) as f32;
    transform.field(spectrum).into_iter().map(|value| value.re / energy).collect()
}

/// Cross-correlation of all pixels that are seen, over the search range. None without one clear peak inside it.
fn whole_pixel_peak(fixed: &Edges, moving: &Edges, transform: &mut Transform) -> Option<Peak> {
    let edge = transform.edge;
    let correlation = correlated(fixed, moving, transform);
    let at = |dx: i32, dy: i32| {
        let place = |along: i32| along.rem_euclid(edge as i32) as usize;
        correlation[place(dy) * edge + place(dx)]
    };
    let around = |reach: i32| (-reach..=reach).flat_map(move |dy| (-reach..=reach).map(move |dx| (dx, dy)));
    let search = SEARCH_PX as i32 + 1;
    let (dx, dy) = around(search).max_by(|&a, &b| at(a.0, a.1).total_cmp(&at(b.0, b.1)))?;
    if dx.abs() == search || dy.abs() == search {
        return None;
    }
    let near = |(x, y): (i32, i32)| (x - dx).abs() <= PEAK_RADIUS_PX && (y - dy).abs() <= PEAK_RADIUS_PX;
    let second = around(search).filter(|&place| !near(place)).map(|(dx, dy)| at(dx, dy)).fold(0.0, f32::max);
    let ring = (search + RING_PX).min(edge as i32 / 2 - 1);
    let (mut squares, mut places) = (0.0, 0);
    for (dx, dy) in around(ring).filter(|(dx, dy)| dx.abs() > search || dy.abs() > search) {
        squares += at(dx, dy).powi(2);
        places += 1;
    }
    let noise = (squares / places as f32).sqrt();
    let top = at(dx, dy);
    (top > MIN_SIGNIFICANCE * noise && second < MAX_SECOND * top).then_some(Peak { dx, dy, noise })
}

/// The top of the peak between the pixels: Newton's method on the correlation as its spectrum has it, which
/// interpolates without loss (Guizar-Sicairos et al. 2008, whose fine grid it stands in for).
///
/// The moving date is laid on by the whole pixels first, and only the inside of what both dates see takes part, once as
/// a part of the fixed date sought in all of the moving one, once the other way round: in the sum of both, what a part
/// gains or loses in energy at its borders as it moves drops out.
fn sub_pixel_peak(fixed: &Edges, moving: &Edges, whole: Peak, transform: &mut Transform) -> Option<Shift> {
    let moving_field = laid_on(&moving.field, whole.dx, whole.dy);
    let mut inside = laid_on(&moving.seen, whole.dx, whole.dy);
    Zip::from(&mut inside).and(&fixed.seen).for_each(|inside, &seen| *inside &= seen);
    let inside = eroded(inside.view(), MARGIN_PX);
    let inside_px = inside.iter().filter(|&&inside| inside).count();
    if (inside_px as f32) < MIN_SEEN / 2.0 * inside.len() as f32 {
        return None;
    }
    let part = |field: &Array2<Complex32>| {
        let mut part = field.clone();
        Zip::from(&mut part).and(&inside).for_each(|edge, &inside| {
            if !inside {
                *edge = Complex32::ZERO;
            }
        });
        part
    };
    let (fixed_part, moving_part) = (part(&fixed.field), part(&moving_field));
    let energy = (energy(&fixed_part) * energy(&moving_part)).sqrt();
    let mut cross = transform.spectrum(&moving_field);
    for (cross, fixed) in cross.iter_mut().zip(transform.spectrum(&fixed_part)) {
        *cross *= fixed.conj();
    }
    let halves = transform.spectrum(&moving_part).into_iter().zip(transform.spectrum(&fixed.field));
    let scale = 0.5 / (energy * (transform.edge * transform.edge) as f32);
    for (cross, (moving, fixed)) in cross.iter_mut().zip(halves) {
        *cross = (*cross + moving * fixed.conj()) * scale;
    }

    let (mut dx, mut dy) = (0.0_f32, 0.0_f32);
    let mut top = Surface::at(&cross, &transform.frequencies, dx, dy);
    for _ in 0..NEWTON_STEPS {
        let (step_x, step_y) = top.newton_step()?;
        (dx, dy) = (dx + step_x, dy + step_y);
        if dx.abs().max(dy.abs()) > MAX_FROM_WHOLE_PX {
            return None;
        }
        top = Surface::at(&cross, &transform.frequencies, dx, dy);
        if step_x.abs().max(step_y.abs()) < NEWTON_END_PX {
            break;
        }
    }
    // what noise of this strength and of the correlation's own spectrum does to the slope, over the curvature
    let (roughness_x, roughness_y) = roughness(&cross, &transform.frequencies);
    let noise = whole.noise * (fixed.seen_px as f32 / inside_px as f32).sqrt();
    let error = |roughness: f32, curvature: f32| noise * roughness / curvature.abs();
    let (error_x, error_y) = (error(roughness_x, top.curvature_x), error(roughness_y, top.curvature_y));
    Some(Shift {
        dx_px: whole.dx as f32 + dx,
        dy_px: whole.dy as f32 + dy,
        quality: top.value.clamp(0.0, 1.0),
        error_px: error_x.hypot(error_y),
    })
}

/// `field` (row, col) such that what was at (x + dx, y + dy) is at (x, y); nothing comes from outside.
fn laid_on<T: Copy + Default>(field: &Array2<T>, dx: i32, dy: i32) -> Array2<T> {
    let ((from_rows, to_rows), (from_cols, to_cols)) = (overlap(field.nrows(), dy), overlap(field.ncols(), dx));
    let mut out = Array2::from_elem(field.dim(), T::default());
    out.slice_mut(s![to_rows, to_cols]).assign(&field.slice(s![from_rows, from_cols]));
    out
}

fn energy(field: &Array2<Complex32>) -> f32 {
    field.iter().map(Complex32::norm_sqr).sum()
}

/// The correlation at one shift, with its slope and curvature, in parts of the fields' energy.
struct Surface {
    value: f32,
    slope_x: f32,
    slope_y: f32,
    curvature_x: f32,
    curvature_y: f32,
    curvature_xy: f32,
}

impl Surface {
    /// From the cross-spectrum (x frequency, y frequency): the real part of `Σ cross · e^{i(kx·dx + ky·dy)}`.
    fn at(cross: &[Complex32], frequencies: &[f32], dx: f32, dy: f32) -> Self {
        let turns = |by: f32| frequencies.iter().map(move |k| Complex32::cis(k * by));
        let turns_y: Vec<(Complex32, f32)> = turns(dy).zip(frequencies.iter().copied()).collect();
        let mut out =
            Self { value: 0.0, slope_x: 0.0, slope_y: 0.0, curvature_x: 0.0, curvature_y: 0.0, curvature_xy: 0.0 };
        let lines = cross.chunks_exact(frequencies.len());
        for ((line, turn_x), &kx) in lines.zip(turns(dx)).zip(frequencies) {
            let (mut sum, mut sum_k, mut sum_kk) = (Complex32::ZERO, Complex32::ZERO, Complex32::ZERO);
            for (&value, &(turn_y, ky)) in line.iter().zip(&turns_y) {
                let turned = value * turn_y;
                sum += turned;
                sum_k += turned * ky;
                sum_kk += turned * (ky * ky);
            }
            let (sum, sum_k, sum_kk) = (sum * turn_x, sum_k * turn_x, sum_kk * turn_x);
            out.value += sum.re;
            out.slope_x -= kx * sum.im;
            out.slope_y -= sum_k.im;
            out.curvature_x -= kx * kx * sum.re;
            out.curvature_xy -= kx * sum_k.re;
            out.curvature_y -= sum_kk.re;
        }
        out
    }

    /// The step (x, y) in pixels to the top of the paraboloid; none where the surface does not bend down all round.
    fn newton_step(&self) -> Option<(f32, f32)> {
        let determinant = self.curvature_x * self.curvature_y - self.curvature_xy * self.curvature_xy;
        (self.curvature_x < 0.0 && determinant > 0.0).then(|| {
            let x = (self.curvature_xy * self.slope_y - self.curvature_y * self.slope_x) / determinant;
            let y = (self.curvature_xy * self.slope_x - self.curvature_x * self.slope_y) / determinant;
            (x, y)
        })
    }
}

/// Root mean square frequency of a cross-spectrum along x and y, in radians a pixel.
fn roughness(cross: &[Complex32], frequencies: &[f32]) -> (f32, f32) {
    let (mut all, mut x, mut y) = (0.0, 0.0, 0.0);
    for (line, kx) in cross.chunks_exact(frequencies.len()).zip(frequencies) {
        for (value, ky) in line.iter().zip(frequencies) {
            let power = value.norm_sqr();
            all += power;
            x += power * kx * kx;
            y += power * ky * ky;
        }
    }
    ((x / all).sqrt(), (y / all).sqrt())
}
