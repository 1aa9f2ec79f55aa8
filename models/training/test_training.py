"""Small checks of the parts, without data: `python -m unittest` in this folder."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import tifffile
import torch

import augment
import bundle
import calibration
import compose
import reviews
import sensors
from chips import BARE, CROPS, IGNORE, WATER
from classes import BUILDING, CLASS_COUNT, FISH_CAGE, ROLES
from metrics import calibration_error, objects_found
from network import ALIGNMENT_PX, SIZES, ShoreNetwork
from textures import Sources


def plain_sources() -> Sources:
    """Spectra and textures without any file."""
    rng = np.random.default_rng(0)
    level = {0: 0.05, 1: 0.1, 2: 0.15, 3: 0.15, 4: 0.2, 5: 0.3}
    tile = rng.uniform(0.2, 0.4, (6, 48, 48)).astype(np.float32)
    return Sources(
        spectra={k: np.full((50, 6), v, np.float32) * rng.uniform(0.9, 1.1, (50, 1)).astype(np.float32) for k, v in level.items()},
        textures={use: [tile] for use in ("spoil", "works", "bar", "ground")},
        cages=[("circle", np.array([[0.0, 0, 20, 20], [25.0, 0, 20, 20]]))],
    )


class Composition(unittest.TestCase):
    def setUp(self):
        self.land = np.full((128, 128), CROPS, np.uint8)
        self.land[:, 80:] = WATER
        self.image = np.where(self.land == WATER, 0.05, 0.12)[None].repeat(6, 0).astype(np.float32)

    def test_objects_lie_where_the_masks_say_and_the_inputs_stay(self):
        before = self.image.copy()
        image, land, objects = compose.compose(self.image, self.land, self.image, plain_sources(), np.random.default_rng(4))
        self.assertTrue((self.image == before).all())
        painted = (objects > 0) & (objects != IGNORE)
        self.assertGreater(painted.sum(), 20)
        self.assertTrue((np.abs(image - before).max(0)[painted] > 0).mean() > 0.9)
        self.assertTrue((self.land[objects == FISH_CAGE] == WATER).all())
        self.assertTrue(set(np.unique(land[painted])) <= {IGNORE, BARE, 4})

    def test_the_same_seed_paints_the_same(self):
        one, two = (compose.compose(self.image, self.land, self.image, plain_sources(), np.random.default_rng(9)) for _ in range(2))
        for a, b in zip(one, two):
            self.assertTrue((a == b).all())

    def test_what_cannot_be_seen_is_not_painted(self):
        cover = np.zeros((21, 21), np.float32)
        cover[6:15, 6:15] = 1
        same = compose.Painted(BUILDING, cover, np.full((6, 21, 21), 0.121))
        self.assertFalse(compose.paste(self.image, self.land, np.zeros_like(self.land), np.zeros(self.land.shape, bool), same, 30, 30))


class Augmentation(unittest.TestCase):
    def test_fine_compression_changes_little(self):
        images = torch.rand(2, 6, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.3
        out = augment.block_compression(images, torch.Generator().manual_seed(0), coarseness=0.05)
        self.assertLess(float((out - images).abs().median()), 0.004)

    def test_dropped_bands_are_zero_in_whole(self):
        out = augment.drop_bands(torch.ones(64, 6, 4, 4), torch.Generator().manual_seed(0))
        sums = out.sum((2, 3)) / 16
        self.assertTrue(((sums == 0) | (sums == 1)).all())
        self.assertTrue((sums[:, 1] == 1).all(), "every set of bands has green")

    def test_a_coarse_label_needs_a_majority(self):
        labels = torch.tensor([[[1, 1, 2, 3], [1, 2, 4, 5]]])
        self.assertEqual(sensors.labels_coarser(labels, 2).tolist(), [[[1, IGNORE]]])


class Figures(unittest.TestCase):
    def test_calibration_lowers_the_error_of_proud_logits(self):
        generator = torch.Generator().manual_seed(1)
        labels = torch.randint(0, 3, (4, 40, 40), generator=generator)
        logits = 6 * (torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2) + torch.randn(4, 3, 40, 40, generator=generator))
        before = calibration_error(logits.softmax(1), labels)
        after = calibration_error(calibration.fit(logits, labels, step=1).probabilities(logits), labels)
        self.assertLess(after, 0.5 * before)

    def test_objects_count_by_half_of_their_pixels(self):
        truth, called = np.zeros((1, 20, 20), np.uint8), np.zeros((1, 20, 20), np.uint8)
        truth[0, 2:8, 2:8], truth[0, 12:18, 12:18] = 3, 1
        called[0, 2:8, 2:6], called[0, 10:16, 0:6] = 3, 2
        self.assertEqual(objects_found(called, truth), {"objects": 2, "found": 1, "named": 1, "findings": 1, "right": 0})


class StoredForms(unittest.TestCase):
    def test_script_and_onnx_agree_with_the_network_at_any_size(self):
        torch.manual_seed(0)
        network = ShoreNetwork(len(ROLES), CLASS_COUNT, SIZES["small"]).eval()
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            script = bundle.save_script(network, Path(folder) / "w.pt")
            bundle.save_onnx(network, Path(folder) / "w.onnx")
            loaded = bundle.session(Path(folder) / "w.onnx")
            for rows, cols in ((64, 64), (40, 136)):
                bands = torch.randn(2, len(ROLES), rows, cols)
                for stored in (script(bands), bundle.run_onnx(loaded, bands)):
                    self.assertLess(float((stored - network(bands)).abs().max()), 1e-4)

    def test_the_reach_is_below_the_halo(self):
        self.assertLessEqual(bundle.reach_px(), 7 * ALIGNMENT_PX)


class Reviews(unittest.TestCase):
    def test_every_fault_is_named_at_once(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tifffile.imwrite(folder / "a.tif", np.zeros((3, 8, 8), np.float32))
            tifffile.imwrite(folder / "a.mask.tif", np.full((8, 8), 9, np.uint8))
            entry = {"chip": "a.tif", "mask": "a.mask.tif", "head": "object", "weight": 1, "verdict": "confirmed", "patch_id": "p", "bands": ["green", "red", "nir"]}
            (folder / "labels.json").write_text(json.dumps([entry, entry | {"bands": ["thermal"]}, entry | {"head": "roof"}]))
            with self.assertRaisesRegex(ValueError, r"entry 0: .*\[9\].*entry 1: .*thermal.*entry 2: .*roof"):
                reviews.read(folder)

    def test_unobserved_ground_and_what_lies_beyond_a_chip_say_nothing(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            chip, mask = np.full((3, 8, 6), 0.2, np.float32), np.full((8, 6), 3, np.uint8)
            chip[:, 0, 0] = np.nan
            tifffile.imwrite(folder / "a.tif", chip, planarconfig="separate")
            tifffile.imwrite(folder / "a.mask.tif", mask)
            entry = {"chip": "a.tif", "mask": "a.mask.tif", "head": "object", "weight": 0.5, "verdict": "rejected", "patch_id": "p", "bands": ["green", "red", "nir"], "reason": "shadow", "model": {"name": "m"}}
            (folder / "labels.json").write_text(json.dumps([entry]))
            (review,) = reviews.read(folder)
        reflectance, labels = reviews.window(review, 16, 0, 0)
        seen = ~torch.isnan(reflectance)
        self.assertEqual([int(n) for n in seen.sum((1, 2))], [0, 47, 47, 47, 0, 0])
        self.assertTrue(bool((labels[~seen.any(0)] == IGNORE).all()) and bool((labels[seen.any(0)] == 3).all()))


if __name__ == "__main__":
    unittest.main()
