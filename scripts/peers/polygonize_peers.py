#!/usr/bin/env python3
"""Polygonizes a mask with GDAL and with rasterio, and says how long each took.

Timed: from the raster in memory to all polygons in memory.

* gdal: ``gdal.Polygonize`` (4-connected) from a MEM raster into a layer of the Memory driver, by the system's
  Python with Debian's python3-gdal;
* rasterio: ``rasterio.features.shapes`` (4-connected) over an array, every shape iterated over once, by the
  Python that runs this script.

``--command`` also times ``gdal_polygonize.py`` from the mask file to FlatGeobuf. ``--signatures FOLDER`` also
writes ``polygonize-gdal.txt`` and ``polygonize-rasterio.txt``: one line a region, sorted: label, area in
pixels, number of holes, first and end column, first and end row.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Debian's Python, for which python3-gdal is packaged
SYSTEM_PYTHON = "/usr/bin/python3"


def simple_rings(points):
    """Cuts a closed ring, (n, 2), that passes a corner twice into rings that pass each corner once.

    Both peers may write a hole that touches its exterior, or another hole, as one ring.
    """
    corners = points[:-1]
    if len(np.unique(corners, axis=0)) == len(corners):
        return [points]
    rings, stack, height_at = [], [], {}
    for corner in map(tuple, corners):
        if corner in height_at:
            height = height_at[corner]
            rings.append(np.array([*stack[height:], corner]))
            for gone in stack[height + 1 :]:
                del height_at[gone]
            del stack[height:]
        height_at[corner] = len(stack)
        stack.append(corner)
    rings.append(np.array([*stack, stack[0]]))
    return rings


class Summary:
    """What is compared with our own regions."""

    def __init__(self):
        self.lines = []
        self.perimeter = 0.0

    def add(self, label, rings):
        simple = [part for ring in rings for part in simple_rings(ring)]
        areas = []
        for ring in simple:
            x, y = ring[:, 0], ring[:, 1]
            areas.append(abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2))
            self.perimeter += float(np.abs(np.diff(ring, axis=0)).sum())
        outer = int(np.argmax(areas))
        area = 2 * areas[outer] - sum(areas)
        (x0, y0), (x1, y1) = simple[outer].min(axis=0), simple[outer].max(axis=0)
        self.lines.append(f"{label} {area:.0f} {len(simple) - 1} {x0:.0f} {x1:.0f} {y0:.0f} {y1:.0f}\n")

    def write(self, file):
        file.write_text("".join(sorted(self.lines)))
        return {"regions": len(self.lines), "perimeter": round(self.perimeter)}


def polygonize_by_gdal(mask, signatures):
    """Runs in the system's Python."""
    from osgeo import gdal, ogr

    gdal.UseExceptions()
    # into memory as a whole, before the clock starts
    raster = gdal.GetDriverByName("MEM").CreateCopy("", gdal.Open(str(mask)))
    report = {}
    layer_source = ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = layer_source.CreateLayer("regions", None, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("label", ogr.OFTInteger))
    start = time.perf_counter()
    gdal.Polygonize(raster.GetRasterBand(1), None, layer, 0, [])
    report["gdal_memory_s"] = time.perf_counter() - start
    report["gdal_version"] = gdal.__version__
    report["gdal_regions"] = layer.GetFeatureCount()
    if signatures:
        summary = Summary()
        for feature in layer:
            geometry = feature.GetGeometryRef()
            rings = [np.array(geometry.GetGeometryRef(i).GetPoints(2)) for i in range(geometry.GetGeometryCount())]
            summary.add(feature.GetField(0), rings)
        report["gdal"] = summary.write(signatures / "polygonize-gdal.txt")
    return report


def polygonize_by_rasterio(mask, signatures):
    import rasterio
    import rasterio.features

    with rasterio.open(mask) as source:
        labels = source.read(1)
    report = {"rasterio_version": rasterio.__version__, "rasterio_gdal_version": rasterio.__gdal_version__}
    start = time.perf_counter()
    shapes = list(rasterio.features.shapes(labels, connectivity=4))
    report["rasterio_s"] = time.perf_counter() - start
    report["rasterio_regions"] = len(shapes)
    if signatures:
        summary = Summary()
        for geometry, label in shapes:
            summary.add(int(label), [np.array(ring) for ring in geometry["coordinates"]])
        report["rasterio"] = summary.write(signatures / "polygonize-rasterio.txt")
    return report


def time_gdal_command(mask):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "regions.fgb"
        start = time.perf_counter()
        subprocess.run(
            ["gdal_polygonize.py", "-q", str(mask), "-f", "FlatGeobuf", str(target)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return {"gdal_polygonize_py_s": time.perf_counter() - start}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mask", type=Path, required=True, help="one-band uint8 raster that GDAL opens")
    parser.add_argument("--json", type=Path, required=True, help="where the report goes")
    parser.add_argument("--signatures", type=Path, help="folder for the regions' signatures")
    parser.add_argument("--command", action="store_true", help="time gdal_polygonize.py also")
    parser.add_argument("--only-gdal", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    if arguments.only_gdal:
        report = polygonize_by_gdal(arguments.mask, arguments.signatures)
    else:
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / "gdal.json"
            again = [SYSTEM_PYTHON, __file__, "--only-gdal", "--mask", str(arguments.mask), "--json", str(part)]
            if arguments.signatures:
                again += ["--signatures", str(arguments.signatures)]
            subprocess.run(again, check=True)
            report = json.loads(part.read_text())
        report |= polygonize_by_rasterio(arguments.mask, arguments.signatures)
        if arguments.command:
            report |= time_gdal_command(arguments.mask)
    arguments.json.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    sys.exit(main())
