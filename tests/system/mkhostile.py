# Small images that are sound byte by byte and ask for far more work than they have bytes. Written from the format's description alone:
# blocks of 4096 bytes, extended inodes, flat directories, no checksum.   python3 mkhostile.py KIND FILE [COUNT]
import struct
import sys

BLOCK = 4096
DIR, REG = 0o040755, 0o100644
COMPAT_MTIME, METABOX, BIT48, CHUNKED = 2, 0x100, 0x80, 0x4


class Image:
    def __init__(self):
        self.blocks = [bytearray(BLOCK)]
        self.inodes = []          # bytes of each slot of 64, from block 1 on

    def add_blocks(self, data):
        at = len(self.blocks)
        for i in range(0, max(len(data), 1), BLOCK):
            self.blocks.append(bytearray(data[i:i + BLOCK].ljust(BLOCK, b"\0")))
        return at

    def inode(self, mode, size, value, nlink, layout=0):
        """64 bytes: format, xattrs, mode, nothing, size, value, number, ids, time, links, nothing."""
        self.inodes.append(struct.pack("<HHHHQIIIIQII16x", 1 | layout << 1, 0, mode, 0, size, value, len(self.inodes) + 1, 0, 0, 0, 0, nlink))
        return nid(len(self.inodes) - 1)

    def write(self, path, root, inodes_at, extra=b"", slots=0, incompat=0):
        for i, inode in enumerate(self.inodes):
            at = i * 64
            self.blocks[inodes_at + at // BLOCK][at % BLOCK:at % BLOCK + 64] = inode
        sb = struct.pack("<IIIBBHQQIIII16s16sIHHHBBIQBBHIQ8x", 0xE0F5E1E2, 0, COMPAT_MTIME, 12, slots, root, len(self.inodes), 0, 0,
                         len(self.blocks), inodes_at, 0, bytes(16), b"", incompat, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        self.blocks[0][1024:1024 + len(sb)] = sb
        self.blocks[0][1024 + 128:1024 + 128 + len(extra)] = extra
        with open(path, "wb") as file:
            file.write(b"".join(self.blocks))


def nid(number):
    return number * 2


def directory(entries):
    """One block: entries of twelve bytes, then names; sorted, "." and ".." among them."""
    entries = sorted(entries)
    head, names, at = b"", b"", 12 * len(entries)
    for name, number, kind in entries:
        head += struct.pack("<QHBB", number, at, kind, 0)
        names += name
        at += len(name)
    assert at <= BLOCK
    return (head + names).ljust(BLOCK, b"\0")


def shared_directories(path, count):
    """COUNT directories, and all have the same ten blocks of names of one file that says it has one link."""
    im = Image()
    room = -(-(count + 2) * 64 // BLOCK)
    inodes_at = im.add_blocks(bytes(room * BLOCK))
    names = [b"%05d" % i for i in range(2000)]
    blocks, root = b"", nid(0)
    file_nid = nid(1)
    for i in range(10):
        own = [(n, file_nid, 1) for n in names[i * 200:(i + 1) * 200]]
        blocks += directory(own + ([(b".", root, 2), (b"..", root, 2)] if i == 0 else []))
    shared = im.add_blocks(blocks)
    children, listed = [(b".", root, 2), (b"..", root, 2)], b""
    for i in range(count):
        children.append((b"d%05d" % i, nid(2 + i), 2))
    for i in range(0, len(children), 150):
        listed += directory(sorted(children)[i:i + 150])
    im.inode(DIR, len(listed), im.add_blocks(listed), count + 2)
    im.inode(REG, 0, 0xffffffff, 1)
    for i in range(count):
        im.inode(DIR, 10 * BLOCK, shared, 2)
    im.write(path, root, inodes_at)


def paths(path, depth):
    """Each directory has the next one under two names: 2^DEPTH paths."""
    im = Image()
    inodes_at = im.add_blocks(bytes(-(-(depth + 1) * 64 // BLOCK) * BLOCK))
    for i in range(depth + 1):
        entries = [(b".", nid(i), 2), (b"..", nid(max(i - 1, 0)), 2)]
        if i < depth:
            entries += [(b"a", nid(i + 1), 2), (b"b", nid(i + 1), 2)]
        im.inode(DIR, BLOCK, im.add_blocks(directory(entries)), 4 if i < depth else 2)
    im.write(path, nid(0), inodes_at)


def many_names(path, count):
    """COUNT directories with blocks of their own, each with 200 names of one file that says it has one link, and has a block."""
    im = Image()
    inodes_at = im.add_blocks(bytes(-(-(count + 2) * 64 // BLOCK) * BLOCK))
    root, file_nid = nid(0), nid(1)
    content = im.add_blocks(b"x" * BLOCK)
    children = sorted([(b".", root, 2), (b"..", root, 2)] + [(b"d%05d" % i, nid(2 + i), 2) for i in range(count)])
    listed = b"".join(directory(children[i:i + 150]) for i in range(0, len(children), 150))
    im.inode(DIR, len(listed), im.add_blocks(listed), count + 2)
    im.inode(REG, BLOCK, content, 1)
    for i in range(count):
        own = [(b".", nid(2 + i), 2), (b"..", root, 2)] + [(b"%05d" % k, file_nid, 1) for k in range(200)]
        im.inode(DIR, BLOCK, im.add_blocks(directory(own)), 2)
    im.write(path, root, inodes_at)


def long_table(path, bits):
    """A file of 2^BITS bytes in chunks of a block: a table that the image has no room for."""
    im = Image()
    inodes_at = im.add_blocks(bytes(BLOCK))
    root = nid(0)
    im.inode(DIR, BLOCK, im.add_blocks(directory([(b".", root, 2), (b"..", root, 2), (b"f", nid(1), 1)])), 2)
    im.inode(REG, 1 << bits, 0, 1, layout=4)
    im.write(path, root, inodes_at, incompat=CHUNKED)


def hollow_metabox(path, bits):
    """A metabox of 2^BITS bytes that is one hole."""
    im = Image()
    inodes_at = im.add_blocks(bytes(BLOCK))
    root = nid(0)
    im.inode(DIR, BLOCK, im.add_blocks(directory([(b".", root, 2), (b"..", root, 2), (b"f", 1 << 63 | 4, 1)])), 2)
    im.inode(REG, 1 << bits, 0xffffffff, 1)
    im.write(path, root, inodes_at, extra=struct.pack("<QQ", nid(1), 0), slots=1, incompat=METABOX | BIT48)


if __name__ == "__main__":
    kind, target = sys.argv[1:3]
    globals()[kind](target, int(sys.argv[3]))
