"""Small checks of the bitemporal parts, without data: `python -m unittest` in this folder."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

import bundle
import nuisance
import pairs
import planting
from bitemporal_finishing import DESIGN
from bitemporal_fitting import CLASSES, seen_by_sensors
from bitemporal_network import ChangeNetwork
from bitemporal_scoring import FALSE_SHARE, Test, figures, kept
from calibration import Calibration
from chips import CROPS, IGNORE, WATER
from classes import BAND_SETS, ROLES
from compose import DOUBT_COVERAGE
from network import ALIGNMENT_PX
from test_training import plain_sources


def ground() -> tuple[np.ndarray, np.ndarray]:
    """Fields beside water: reflectance (band, row, col) and land cover (row, col)."""
    land = np.full((128, 128), CROPS, np.uint8)
    land[:, 96:] = WATER
    image = np.where(land == WATER, 0.05, 0.12)[None].repeat(6, 0).astype(np.float32)
    image[3][land == CROPS] = 0.35
    return image, land


def network() -> ChangeNetwork:
    """Random weights that tell channels apart, as they are stored."""
    torch.manual_seed(0)
    return ChangeNetwork(len(ROLES), len(CLASSES), (4, 6, 8, 10)).eval()


class Planting(unittest.TestCase):
    def setUp(self):
        self.image, self.land = ground()
        other = np.full_like(self.image, 0.3)
        self.earlier, self.later, self.kinds = planting.plant(
            self.image, self.image, self.land, other, np.full_like(self.land, 5), plain_sources(), np.random.default_rng(3)
        )
        self.difference = np.abs(self.later - self.earlier).mean(0)

    def test_what_is_called_changed_differs_and_the_rest_is_equal(self):
        label = planting.change_label(self.kinds, np.zeros(self.kinds.shape, bool))
        self.assertGreater((label == planting.CHANGED).sum(), 50)
        self.assertGreaterEqual(float(self.difference[label == planting.CHANGED].min()), planting.LEAST_DIFFERENCE - 1e-6)
        # The faint outermost rim of a soft edge, below the coverage of doubt, may be left.
        unlabelled = self.difference[label == planting.UNCHANGED]
        self.assertLess(float((unlabelled > 0.25 * DOUBT_COVERAGE + 0.02).mean()), 0.005)

    def test_both_arrivals_and_removals_are_planted_over_many_seeds(self):
        arrived = removed = 0
        for seed in range(4):
            earlier, later, kinds = planting.plant(
                self.image, self.image, self.land, self.image, self.land, plain_sources(), np.random.default_rng(seed)
            )
            known = (kinds != 0) & (kinds != IGNORE)
            arrived += int((known & (np.abs(later - self.image).mean(0) > 0.02)).sum())
            removed += int((known & (np.abs(earlier - self.image).mean(0) > 0.02)).sum())
        self.assertGreater(arrived, 50)
        self.assertGreater(removed, 50)

    def test_doubt_about_the_pair_silences_the_ground_but_not_what_was_planted(self):
        label = planting.change_label(self.kinds, np.ones(self.kinds.shape, bool))
        self.assertFalse((label == planting.UNCHANGED).any())
        self.assertTrue((label == planting.CHANGED).any())


class Nuisances(unittest.TestCase):
    def test_another_date_differs_and_carries_no_label(self):
        image, land = ground()
        before = image.copy()
        later = nuisance.another_date(image, land, plain_sources(), np.random.default_rng(1))
        self.assertTrue((image == before).all())
        self.assertGreater(float(np.abs(later - image).max()), 0.005)
        label = planting.change_label(np.zeros(land.shape, np.uint8), np.zeros(land.shape, bool))
        self.assertFalse(label.any())

    def test_the_edge_of_water_moves_by_a_few_pixels_only(self):
        image, land = ground()
        for seed in range(5):
            moved = nuisance.water_margin(image, land, np.random.default_rng(seed))
            cols = np.flatnonzero((np.abs(moved - image) > 0.01).any((0, 1)))
            self.assertTrue(len(cols) == 0 or (cols.min() >= 88 and cols.max() <= 103), cols)

    def test_each_date_has_a_sensor_of_its_own(self):
        image, _ = ground()
        both = torch.from_numpy(np.concatenate([image, image]))[None].repeat(6, 1, 1, 1)
        seen = seen_by_sensors(both, 1.0, 1.0, torch.Generator().manual_seed(0))
        self.assertGreater(float((seen[:, :6] - seen[:, 6:]).abs().mean()), 0.003)

    def test_missing_bands_are_zero_on_both_dates_and_at_least_three_are_left(self):
        generator = torch.Generator().manual_seed(0)
        available = [ROLES, ("blue", "green", "red", "nir")] * 20
        sums = nuisance.drop_bands(torch.ones(40, 12, 4, 4), available, generator).sum((2, 3)) / 16
        self.assertTrue(((sums == 0) | (sums == 1)).all())
        self.assertTrue((sums[:, :6] == sums[:, 6:]).all())
        self.assertGreaterEqual(int(sums[:, :6].sum(1).min()), 3)
        self.assertEqual(float(sums[1::2, 4:6].sum()), 0.0, "a band that the sensor lacks is never given")


class RealPairs(unittest.TestCase):
    def test_both_witnesses_see_a_planted_patch_and_not_another_gain(self):
        rng = np.random.default_rng(0)
        earlier = rng.uniform(0.1, 0.3, (6, 64, 64)).astype(np.float32)
        later = 1.2 * earlier + 0.01 + 0.003 * rng.normal(size=earlier.shape).astype(np.float32)
        later[:3, 20:30, 20:30] += 0.3
        found = pairs.really_changed(earlier, later, np.ones((64, 64), bool))
        self.assertGreater(found[22:28, 22:28].mean(), 0.9)
        found[16:34, 16:34] = False
        self.assertLess(found.mean(), 0.02)

    def test_only_chips_of_one_part_are_paired(self):
        groups = [np.array([0, 3, 5]), np.array([1, 2])]
        self.assertEqual(pairs.same_ground_within(groups, np.array([0, 1, 5])), [(0, 5)])


class Network(unittest.TestCase):
    def test_the_reach_is_exact_and_the_halo_is_small(self):
        reach = bundle.reach_px(DESIGN)
        halo = -(-reach // ALIGNMENT_PX) * ALIGNMENT_PX
        self.assertLessEqual(halo, 48)
        fitted = {"change": Calibration(1.0, (0.0, 0.0))}
        with torch.no_grad():
            self.assertLess(bundle.seam(bundle.fused(network()), fitted, halo, DESIGN), 1e-5)

    def test_exchanging_the_dates_changes_nothing(self):
        bands = torch.randn(2, 12, 64, 64)
        with torch.no_grad():
            one, other = network()(bands), network()(torch.cat([bands[:, 6:], bands[:, :6]], 1))
        self.assertLess(float((one - other).abs().max()), 1e-5)

    def test_script_and_onnx_agree_with_the_network_at_any_size(self):
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            script = bundle.save_script(network(), Path(folder) / "w.pt", DESIGN)
            bundle.save_onnx(network(), Path(folder) / "w.onnx", DESIGN)
            loaded = bundle.session(Path(folder) / "w.onnx")
            for count, rows, cols in ((1, 64, 64), (3, 40, 136)):
                bands = torch.randn(count, 12, rows, cols)
                for stored in (script(bands), bundle.run_onnx(loaded, bands)):
                    self.assertEqual(tuple(stored.shape), (count, 2, rows, cols))
                    self.assertLess(float((stored - network()(bands)).abs().max()), 1e-4)


class Figures(unittest.TestCase):
    def test_a_score_that_knows_everything_is_perfect(self):
        kinds = np.zeros((1, 40, 40), np.uint8)
        kinds[0, 5:12, 5:12], kinds[0, 20:30, 20:30] = 2, planting.COVER_KIND
        labels = planting.change_label(kinds, np.zeros(kinds.shape, bool))
        test = Test(torch.zeros(1, 12, 40, 40), labels, kinds, ROLES)
        out = figures(labels.astype(float), test)
        self.assertEqual((out["average_precision"], out["recall"], out["objects"], out["covers"]), (1.0, 1.0, 1, 1))
        noise = figures(np.random.default_rng(0).random(labels.shape), test)
        self.assertLess(noise["recall"], 10 * FALSE_SHARE)

    def test_only_the_named_bands_are_kept(self):
        bands = kept(torch.ones(1, 12, 2, 2), BAND_SETS["red_green_blue"])
        self.assertEqual(bands[0, :, 0, 0].tolist(), [1, 1, 1, 0, 0, 0] * 2)


if __name__ == "__main__":
    unittest.main()
