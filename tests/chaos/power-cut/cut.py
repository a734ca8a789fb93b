"""Cuts the power at random points of what disk.py remembers.

    python3 cut.py LOG MIB IMAGE COUNT SEED FROM_NS COMMAND…

COUNT times: writes to IMAGE what the disk holds if the power fails just before a random request that came after FROM_NS, and
runs COMMAND with the moment of that request. What was written since the last flush is still in the disk's cache then: all
of it is kept, or none, or a random part, down to sectors and in no order.
"""

import random
import subprocess
import sys

from disk import ENTRY

# A disk of today writes so much or nothing of it; ext4 relies on that for its superblock.
SECTOR = 4096


def entries(path):
    with open(path, "rb") as log:
        while len(head := log.read(ENTRY.size)) == ENTRY.size:
            kind, at, offset, length = ENTRY.unpack(head)
            yield kind, at, offset, log.read(length)


def survivors(cached, chance):
    """What of the cache has reached the disk, in which form."""
    how = chance.choice(("all", "none", "some", "sectors"))
    if how in ("all", "none"):
        return cached if how == "all" else []
    kept = cached
    if how == "sectors":
        kept = [(o + s, d[s : s + SECTOR]) for o, d in cached for s in range(0, len(d), SECTOR)]
    kept = [write for write in kept if chance.random() < 0.5]
    return kept


def main():
    log, mib, image, count, seed, begin, *command = sys.argv[1:]
    chance = random.Random(int(seed))
    every = [(n, at) for n, (_, at, _, _) in enumerate(entries(log)) if at > int(begin)]
    points = dict(chance.sample(every, min(int(count), len(every))))
    flushed, cached = bytearray(int(mib) << 20), []
    for number, (kind, at, offset, data) in enumerate(entries(log)):
        if number in points:
            copy = bytearray(flushed)
            for place, part in survivors(cached, chance):
                copy[place : place + len(part)] = part
            with open(image, "wb") as file:
                file.write(copy)
            subprocess.run([*command, str(at)], check=True)
        if kind == b"w":
            cached.append((offset, data))
        else:
            for place, part in cached:
                flushed[place : place + len(part)] = part
            cached = []


if __name__ == "__main__":
    main()
