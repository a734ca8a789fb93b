"""A disk that remembers: a file for a loop device, with every write and every flush in the order in which they came.

    python3 disk.py FOLDER LOG MIB     serves FOLDER/disk.img until it is unmounted

LOG gets one entry a request: kind (w or f), CLOCK_MONOTONIC in ns when it came, offset, length, then the data. While
FOLDER/fails has a size other than 0 every flush fails with EIO.
"""

import errno
import stat
import struct
import sys
import time

try:  # As Debian names it, and as the package index does.
    from fusepy import FUSE, FuseOSError, Operations
except ImportError:
    from fuse import FUSE, FuseOSError, Operations

ENTRY = struct.Struct("<cQQI")


class Disk(Operations):
    """Two files. A flush of the loop device comes as fsync."""

    def __init__(self, log, size):
        self.log = log
        self.image = bytearray(size)
        self.fails = False

    def note(self, kind, offset=0, data=b""):
        self.log.write(ENTRY.pack(kind, time.monotonic_ns(), offset, len(data)) + data)

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        sizes = {"/disk.img": len(self.image), "/fails": int(self.fails)}
        if path not in sizes:
            raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": sizes[path]}

    def readdir(self, path, fh):
        return [".", "..", "disk.img", "fails"]

    def read(self, path, size, offset, fh):
        return bytes(self.image[offset : offset + size])

    def write(self, path, data, offset, fh):
        if path == "/disk.img":
            self.note(b"w", offset, data)
            self.image[offset : offset + len(data)] = data
        else:
            self.fails = True
        return len(data)

    def truncate(self, path, length, fh=None):
        if path == "/fails":
            self.fails = length > 0

    def fsync(self, path, datasync, fh):
        if self.fails:
            raise FuseOSError(errno.EIO)
        self.note(b"f")


if __name__ == "__main__":
    folder, log, mib = sys.argv[1:]
    with open(log, "wb") as entries:
        FUSE(Disk(entries, int(mib) << 20), folder, foreground=True, nothreads=True, direct_io=True)
