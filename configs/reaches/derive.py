#!/usr/bin/env python3
"""Derives the example reaches from the imagery in SHOREWATCH_DATA: permanent water of several dates, widened on both
sides, as one or a few managed reaches a data set. They are examples for development, not anybody's official scope.

    pip install rasterio shapely scipy pyproj
    python configs/reaches/derive.py ../shared/data
"""
import json
import pathlib
import sys

import numpy as np
import rasterio
import rasterio.features
from pyproj import Transformer
from scipy import ndimage
from shapely.geometry import box, mapping, shape
from shapely import transform, union_all

HERE = pathlib.Path(__file__).parent


def water_share(paths, green, nir):
    """Share of dates on which a pixel is water (NDWI > 0.1, McFeeters 1996), with the grid of the first date."""
    with rasterio.open(paths[0]) as first:
        profile = first.profile
    # one date has a row more than the next
    sizes = [rasterio.open(path).shape for path in paths]
    size = (min(rows for rows, _ in sizes), min(cols for _, cols in sizes))
    share = np.zeros(size)
    for path in paths:
        with rasterio.open(path) as image:
            data = image.read().astype(float)[:, : size[0], : size[1]]
        ndwi = (data[green] - data[nir]) / np.maximum(data[green] + data[nir], 1)
        share += ndwi > 0.1
    return share / len(paths), profile


def widened(mask, profile, epsg, metres, simplify_m, smallest_m2):
    """Polygons of a mask in metres, widened, without small ones and small holes."""
    to_metres = Transformer.from_crs(profile["crs"], epsg, always_xy=True).transform
    shapes = rasterio.features.shapes(mask.astype("uint8"), mask=mask, transform=profile["transform"])
    polygons = [transform(shape(geometry), to_metres, interleaved=False) for geometry, _ in shapes]
    merged = union_all([polygon.buffer(metres) for polygon in polygons if polygon.area >= smallest_m2])
    merged = merged.simplify(simplify_m)
    return [part for part in getattr(merged, "geoms", [merged]) if part.area > 0]


def write(name, features):
    path = HERE / f"{name}.geojson"
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection, indent=1) + "\n")
    print(path, len(features), "reaches")


def feature(polygon, epsg, reach_id, title, note):
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True).transform
    geometry = mapping(transform(polygon, lambda x, y: np.round(to_degrees(x, y), 6), interleaved=False))
    return {
        "type": "Feature",
        "properties": {"reach_id": reach_id, "name": title, "note": note},
        "geometry": geometry,
    }


def main():
    data = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")

    paths = sorted((data / "landsat-ucayali").glob("*.tif"))
    share, profile = water_share(paths, green=3, nir=1)
    water = ndimage.binary_opening(share > 0)
    parts = sorted(widened(water, profile, 32718, 900, 90, 2e6), key=lambda part: -part.area)
    note = "water on any of eight dates 1985-2020, widened by 900 m"
    river = parts[0]
    left, bottom, right, top = river.bounds
    middle = (top + bottom) / 2
    upper = river.intersection(box(left, bottom, right, middle))
    lower = river.intersection(box(left, middle, right, top))
    write("ucayali", [
        feature(upper, 32718, "ucayali-upstream", "Ucayali upstream of Pucallpa", note),
        feature(lower, 32718, "ucayali-downstream", "Ucayali at and below Pucallpa", note),
    ])

    paths = sorted((data / "naip-prairie").glob("*.tif"))
    share, profile = water_share(paths, green=1, nir=3)
    water = ndimage.binary_opening(share >= 0.5, iterations=2)
    parts = sorted(widened(water, profile, 26914, 60, 5, 1.5e4), key=lambda part: (-part.area))[:6]
    note = "water on at least half of ten dates 2009-2020, widened by 60 m"
    write("prairie", [
        feature(part, 26914, f"prairie-lake-{number}", f"Prairie lake {number}", note)
        for number, part in enumerate(parts, 1)
    ])

    with rasterio.open(data / "drone-ortho" / "pix4d_alpha_nodata.tif") as image:
        extent = box(*image.bounds).buffer(-20)
    write("drone", [feature(extent, 32750, "drone-site", "Drone site", "the orthomosaic's extent less 20 m")])


if __name__ == "__main__":
    main()
