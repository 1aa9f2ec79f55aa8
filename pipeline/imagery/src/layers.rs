//! What units of work leave behind: stacks of 8-bit layers on the grid.
//!
//! Millions of pixels a second go through here, and all of it can be made again. So a file is written in one go without
//! waiting for the disk, each layer is packed on its own by runs of like values (quick rather than small) or stored as the
//! one value that it holds, and the file ends with the BLAKE3 digest of its content: one that a power failure cut short is known
//! for what it is. Nobody but this module reads them; maps for people are written by [`crate::write`].
//!
//! | bytes | |
//! |---|---|
//! | 8 | `SWLAYER2` |
//! | 4 | length of the header, little-endian |
//! | … | header, JSON |
//! | … | the packed layers in order (row, col) |
//! | 32 | BLAKE3 of everything before |

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use ndarray::{Array3, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use shorewatch_domain::grid::{Grid, Window};

use crate::error::ImageryError;

mod equal_runs;
mod runs;

/// First bytes of a file.
const MAGIC: &[u8; 8] = b"SWLAYER2";

/// Bytes of the digest at the end.
const SEAL_BYTES: usize = blake3::OUT_LEN;

/// More pixels than any unit has: a header that says so is not believed.
const PIXELS_MAX: usize = 1 << 28;

/// Layers that were read back.
#[derive(Debug)]
pub struct Layers {
    /// The pixels that are covered.
    pub window: Window,
    /// The layers (layer, row, col).
    pub values: Array3<u8>,
    /// The caller's text.
    pub note: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    epsg: u32,
    pixel_size_m: f64,
    row: i64,
    col: i64,
    rows: usize,
    cols: usize,
    note: String,
    layers: Vec<Layer>,
}

#[derive(Serialize, Deserialize)]
struct Layer {
    name: String,
    stored: Stored,
}

/// How a layer is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    /// All pixels have this value.
    Constant(u8),
    /// So many bytes, packed by [`runs`].
    LikeRuns(usize),
    /// So many bytes, as earlier versions packed them ([`equal_runs`]).
    Runs(usize),
}

impl Stored {
    /// Bytes behind the header.
    const fn bytes(&self) -> usize {
        match self {
            Self::Constant(_) => 0,
            Self::LikeRuns(size) | Self::Runs(size) => *size,
        }
    }
}

/// Writes layers of a window, with a text beside them, to a temporary name, seals them and renames them into place.
///
/// # Errors
/// The folder can't be written to, or the disk is full; nothing is left under `path` then.
pub fn write_layers(
    path: &Path,
    grid: Grid,
    window: Window,
    layers: &[(&str, ArrayView2<'_, u8>)],
    note: &str,
) -> Result<(), ImageryError> {
    PACKED.with_borrow_mut(|packed| write_packed(path, grid, window, layers, note, packed))
}

thread_local! {
    /// Memory that layers are packed into, kept for the next file: pages that are new to the process cost more than packing.
    static PACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn write_packed(
    path: &Path,
    grid: Grid,
    window: Window,
    layers: &[(&str, ArrayView2<'_, u8>)],
    note: &str,
    packed: &mut Vec<u8>,
) -> Result<(), ImageryError> {
    let io = |action| move |fault| ImageryError::io(path, action, fault);
    let mut described = Vec::with_capacity(layers.len());
    let mut end = 0;
    for (name, values) in layers {
        // most layers of most units hold one value, and that need not be stored pixel by pixel
        let stored =
            constant(values).map_or_else(|| Stored::LikeRuns(pack(values, packed, &mut end)), Stored::Constant);
        described.push(Layer { name: (*name).to_owned(), stored });
    }
    let body = &packed[..end];
    let header = Header {
        epsg: grid.epsg.0,
        pixel_size_m: grid.pixel_size_m,
        row: window.row,
        col: window.col,
        rows: window.rows,
        cols: window.cols,
        note: note.to_owned(),
        layers: described,
    };
    let header = serde_json::to_vec(&header).map_err(|fault| io("describe")(fault.into()))?;
    let length = (header.len() as u32).to_le_bytes();
    let mut hasher = blake3::Hasher::new();
    let parts: [&[u8]; 4] = [MAGIC, &length, &header, body];
    for part in parts {
        hasher.update(part);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(io("make the folder of"))?;
    let mut file = tempfile::Builder::new().suffix(".tmp").tempfile_in(folder).map_err(io("write beside"))?;
    for part in parts.into_iter().chain([hasher.finalize().as_bytes().as_slice()]) {
        file.write_all(part).map_err(io("write"))?;
    }
    file.persist(path).map_err(|fault| io("rename into place")(fault.error))?;
    Ok(())
}

/// The value of all pixels, where they have one.
fn constant(values: &ArrayView2<'_, u8>) -> Option<u8> {
    let first = *values.first()?;
    if values.strides() == [0, 0] {
        return Some(first); // one value that is only said to fill the layer
    }
    let differs = |row: ArrayView1<'_, u8>| row.iter().fold(0, |other, value| other | (value ^ first)) != 0;
    (!values.rows().into_iter().any(differs)).then_some(first)
}

/// Packs values to where what was packed so far ends, and moves that end; returns how many bytes they take.
fn pack(values: &ArrayView2<'_, u8>, packed: &mut Vec<u8>, end: &mut usize) -> usize {
    let values = values.as_standard_layout();
    let values = values.as_slice().unwrap_or_else(|| unreachable!("standard layout is one run of memory"));
    let room = *end + runs::largest(values.len());
    if packed.len() < room {
        packed.resize(room, 0);
    }
    let size = runs::pack(values, &mut packed[*end..]);
    *end += size;
    size
}

/// Whether a file is whole: what it holds is what was written.
#[must_use]
pub fn is_whole(path: &Path) -> bool {
    open_whole(path).is_ok()
}

/// Reads layers back.
///
/// # Errors
/// The file is missing, damaged or not one of ours: the unit that made it has to be worked again.
pub fn read_layers(path: &Path) -> Result<Layers, ImageryError> {
    read(path, None)
}

/// Reads only some of the layers back, by their index; without any, only the window and the text.
///
/// # Errors
/// As [`read_layers`]; or there is no such layer.
pub fn read_some_layers(path: &Path, wanted: &[usize]) -> Result<Layers, ImageryError> {
    read(path, Some(wanted))
}

fn open_whole(path: &Path) -> Result<Vec<u8>, ImageryError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|fault| ImageryError::io(path, "read", fault))?;
    let end = bytes.len().checked_sub(SEAL_BYTES);
    let end = end.filter(|&end| blake3::hash(&bytes[..end]).as_bytes() == &bytes[end..]);
    bytes.truncate(end.ok_or_else(|| not_ours(path, "it is cut short, changed, or not sealed by us"))?);
    Ok(bytes)
}

fn read(path: &Path, wanted: Option<&[usize]>) -> Result<Layers, ImageryError> {
    let bytes = open_whole(path)?;
    let cut = || not_ours(path, "it is no stack of layers");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(cut)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let (header, body) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
    let header: Header = serde_json::from_slice(header).map_err(|fault| not_ours(path, &fault.to_string()))?;
    let (rows, cols) = (header.rows, header.cols);
    if rows.checked_mul(cols).is_none_or(|pixels| pixels > PIXELS_MAX) {
        return Err(not_ours(path, &format!("it says {rows} × {cols} pixels")));
    }
    let all: Vec<usize>;
    let wanted = match wanted {
        Some(wanted) => wanted,
        None => {
            all = (0..header.layers.len()).collect();
            &all
        }
    };
    let mut values = Array3::zeros((wanted.len(), rows, cols));
    for (&index, mut values) in wanted.iter().zip(values.outer_iter_mut()) {
        let layer = header.layers.get(index).ok_or_else(|| not_ours(path, &format!("it has no layer {index}")))?;
        let start: usize = header.layers[..index].iter().map(|layer| layer.stored.bytes()).sum();
        let unpack = match layer.stored {
            Stored::Constant(value) => {
                values.fill(value);
                continue;
            }
            Stored::LikeRuns(_) => runs::unpack,
            Stored::Runs(_) => equal_runs::unpack,
        };
        let packed = body.get(start..start.saturating_add(layer.stored.bytes())).ok_or_else(cut)?;
        let values = values.as_slice_mut().unwrap_or_else(|| unreachable!("a plane is one run of memory"));
        let fault = || not_ours(path, &format!("layer {:?} has not {rows} × {cols} pixels", layer.name));
        unpack(packed, values).ok_or_else(fault)?;
    }
    let window = Window { row: header.row, col: header.col, rows, cols };
    Ok(Layers { window, values, note: header.note })
}

fn not_ours(path: &Path, what: &str) -> ImageryError {
    ImageryError::gdal(path, "use the layers", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use shorewatch_domain::crs::Epsg;

    const WINDOW: Window = Window { row: -3, col: 40, rows: 300, cols: 20 };

    fn written(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("units").join("ab.layers");
        let zero = Array2::zeros((1, 1));
        let other = Array2::from_shape_fn(WINDOW.shape(), |(row, col)| (row * 7 + col) as u8);
        let zero = zero.broadcast(WINDOW.shape()).expect("one value fills any layer");
        let layers = [("zero", zero), ("other", other.view())];
        write_layers(&path, Grid::new(Epsg(32650), 10.0), WINDOW, &layers, "a note").expect("a folder to write to");
        path
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path());
        let all = read_layers(&path).expect("whole");
        assert_eq!((all.window, all.note.as_str(), all.values.dim()), (WINDOW, "a note", (2, 300, 20)));
        assert!(all.values.index_axis(ndarray::Axis(0), 0).iter().all(|&value| value == 0));
        assert!(all.values.indexed_iter().all(|((layer, row, col), &v)| layer == 0 || v == (row * 7 + col) as u8));
        let one = read_some_layers(&path, &[1]).expect("whole");
        assert_eq!(one.values.index_axis(ndarray::Axis(0), 0), all.values.index_axis(ndarray::Axis(0), 1));
        assert_eq!(read_some_layers(&path, &[]).expect("whole").note, "a note");
        assert!(read_some_layers(&path, &[2]).is_err());
        // nothing temporary is left beside it
        assert_eq!(std::fs::read_dir(path.parent().expect("a folder")).expect("readable").count(), 1);
    }

    #[test]
    fn a_file_that_was_cut_short_or_changed_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path());
        let whole = std::fs::read(&path).expect("there");
        assert!(is_whole(&path));
        for damaged in [&whole[..whole.len() / 2], &whole[..whole.len() - SEAL_BYTES], &[]] {
            std::fs::write(&path, damaged).expect("writable");
            assert!(!is_whole(&path) && read_layers(&path).is_err());
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        std::fs::write(&path, flipped).expect("writable");
        assert!(!is_whole(&path) && read_layers(&path).is_err());
        assert!(!is_whole(&folder.path().join("missing.layers")));
    }
}
