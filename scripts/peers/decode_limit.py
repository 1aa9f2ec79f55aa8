#!/usr/bin/env python3
"""Prints the seconds that two threads need to decode every block of a GeoTIFF with GDAL, and nothing else."""

import sys
import threading
import time

import rasterio

THREADS = 2


def main():
    path = sys.argv[1]
    with rasterio.open(path) as file:
        windows = [window for _, window in file.block_windows(1)]
    # one handle a thread, opened before the clock starts; blocks dealt out in turns, so that both end together
    files = [rasterio.open(path) for _ in range(THREADS)]
    pixels = [0] * THREADS

    def decode(thread):
        for window in windows[thread::THREADS]:
            pixels[thread] += files[thread].read(window=window)[0].size

    threads = [threading.Thread(target=decode, args=(thread,)) for thread in range(THREADS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    assert sum(pixels) == files[0].width * files[0].height
    print(seconds)


if __name__ == "__main__":
    main()
