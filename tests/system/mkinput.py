# Archives for the tests, written member by member, and bytes of files changed.   python3 -c 'from mkinput import *; …'
import io
import tarfile
import zipfile
import zlib

KINDS = dict(d=tarfile.DIRTYPE, f=tarfile.REGTYPE, l=tarfile.SYMTYPE, h=tarfile.LNKTYPE, c=tarfile.CHRTYPE, p=tarfile.FIFOTYPE)


def tar(path, *members, form=tarfile.PAX_FORMAT, everywhere=None):
    """members: (kind, name, content | target | (major, minor), pax records, other attributes); everywhere: global records."""
    with tarfile.open(path, "w", format=form, pax_headers=everywhere) as archive:
        for kind, name, *rest in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = KINDS[kind], 0o755 if kind == "d" else 0o644, 1000
            what = rest[0] if rest else b""
            if kind in "lh":
                info.linkname = what
            elif kind == "c":
                info.devmajor, info.devminor = what
            else:
                info.size = len(what or b"")
            info.pax_headers = rest[1] if len(rest) > 1 and rest[1] else {}
            for key, value in (rest[2] if len(rest) > 2 else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(what) if kind in "df" and what else None)


def header(name, size=0, kind=b"0", **fields):
    """A ustar header by hand: fields are (offset, bytes) that replace what stands there, before the checksum is made."""
    block = bytearray(512)
    for at, text in ((0, name), (100, b"0000644\0"), (108, b"0000000\0"), (116, b"0000000\0"), (124, b"%011o\0" % size),
                     (136, b"%011o\0" % 1000), (156, kind), (257, b"ustar\00000")):
        block[at:at + len(text)] = text
    for at, text in fields.values():
        block[at:at + len(text)] = text
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content):
    return content + bytes(-len(content) % 512)


def records(*pairs):
    """The body of an extended header."""
    body = b""
    for key, value in pairs:
        text = b" " + key + b"=" + value + b"\n"
        length = len(text) + 1
        while length != len(str(length)) + len(text):
            length = len(str(length)) + len(text)
        body += str(length).encode() + text
    return body


def extended(*pairs, kind=b"x"):
    body = records(*pairs)
    return header(b"pax", len(body), kind) + padded(body)


END = bytes(1024)


def write(path, *parts):
    with open(path, "wb") as file:
        file.write(b"".join(parts))


def change(path, at, to=None):
    """One byte becomes another, or gets its lowest bit turned."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 if to is None else to]))
