#!/usr/bin/env python3
"""Takes memory, as a program does and as its files in the given folder do, and gives it back.

What lay idle for some seconds may have been taken from a virtual machine, and is then handed out again page by page at the first
touch, which takes many times as long as to write what is there. A process of its own: the largest size of a program counts from that
of the one that starts it.
"""

import mmap
import sys
import tempfile

# more than most runs take, and than most write
PROGRAM_BYTES = 1 << 30
FILE_BYTES = 512 << 20
PIECE = bytes(4 << 20)


def main():
    with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
        for _ in range(FILE_BYTES // len(PIECE)):
            file.write(PIECE)
        with mmap.mmap(-1, PROGRAM_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            for page in range(0, PROGRAM_BYTES, mmap.PAGESIZE):
                memory[page] = 1


if __name__ == "__main__":
    main()
