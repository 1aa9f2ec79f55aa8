"""Bands, sets of bands and classes of the two heads, in the order of the network's channels."""

from chips import CLASSES as LAND_COVER

ROLES = ("blue", "green", "red", "nir", "swir1", "swir2")
"""Order of the input channels."""

BAND_SETS = {
    "six_bands": ROLES,
    "red_green_blue_nir": ("blue", "green", "red", "nir"),
    "green_red_nir_swir1": ("green", "red", "nir", "swir1"),
    "green_red_nir": ("green", "red", "nir"),
    "red_green_blue": ("blue", "green", "red"),
}
"""Sets of bands the network is trained and may be run with; the others enter as 0."""

BAND_SET_SHARE = (0.42, 0.18, 0.12, 0.12, 0.16)
"""How often each set is drawn in training."""

OBJECT = ("no_object", "pit", "stockpile", "dump", "building", "greenhouse", "fish_cage", "dike")
NO_OBJECT, PIT, STOCKPILE, DUMP, BUILDING, GREENHOUSE, FISH_CAGE, DIKE = range(8)

HEADS = {"land_cover": LAND_COVER, "object": OBJECT}
CLASS_COUNT = len(LAND_COVER) + len(OBJECT)


def head_slice(head: str) -> slice:
    """Channels of one head."""
    start = 0
    for name, members in HEADS.items():
        if name == head:
            return slice(start, start + len(members))
        start += len(members)
    raise KeyError(f"no head {head!r}; heads are {', '.join(HEADS)}")
