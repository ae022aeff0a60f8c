# Holes: never read, and as cheap as the form allows, in every kind of image; what would cost too much is refused.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
# a terabyte with a megabyte of data in two places, beside files without holes
mkdir s; head -c 500000 /dev/urandom >r1; head -c 480000 /dev/urandom >r2
truncate -s 1T s/huge || { skip "this file system has no files of 1 TiB" "all of it"; finish; exit 0; }
dd if=r1 of=s/huge bs=4096 seek=3014081 conv=notrunc status=none; dd if=r2 of=s/huge bs=4096 seek=200000000 conv=notrunc status=none
for i in 1 2 3; do head -c $((i * 3001)) /dev/urandom >s/r$i; seq $((i * 700)) >s/t$i; done
truncate -s 3M s/mid; dd if=r1 of=s/mid bs=1000 seek=500 conv=notrunc status=none
same_ranges() { # DIR: what is data in s is there, with some of the holes around it
	python3 - s "$1" <<'P'
import os, sys
one, other = sys.argv[1:]
for name in sorted(os.listdir(one)):
    a, b = os.open(one + "/" + name, os.O_RDONLY), os.open(other + "/" + name, os.O_RDONLY)
    size = os.fstat(a).st_size
    assert size == os.fstat(b).st_size, name
    at = 0
    while at < size:
        try:
            start = os.lseek(a, at, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(a, start, os.SEEK_HOLE)
        for p in range(max(0, start - 8192), min(size, end + 8192), 1 << 20):
            n = min(1 << 20, min(size, end + 8192) - p)
            assert os.pread(a, n, p) == os.pread(b, n, p), (name, p)
        at = end
    for p in (0, size // 3, size // 2, max(0, size - 100)):
        assert os.pread(a, 4096, p) == os.pread(b, 4096, p), (name, p)
P
}
for o in "" "-b1024" "-zlz4" "-zlz4hc -C65536 -Eztailpacking" "-zzstd -Efragments" "-Ededupe" "-zlz4 -Ededupe" "--chunksize=1048576" "-E48bit" "-zlz4 -E48bit" "-zzstd -E48bit -Ededupe" "--preset=dense" "-zlz4 --extent-size=65536" "-zzstd -m65536"; do
	rm -f i.erofs; limit=10000000; case $o in *48bit* | *dense* | *extent* | *-m65536*) limit=1650000;; esac
	perl -MTime::HiRes=time -e '$s = time; system @ARGV; $t = time - $s; print "took $t\n"; exit $? >> 8' $mkfs --quiet -T0 -U clear $o i.erofs s >why 2>&1
	ok $? "\"$o\": an image of a file of 1 TiB"
	size=$(stat -c %s i.erofs); echo "$size bytes" >why; check "\"$o\": small ($size bytes)" test "$size" -lt $limit
	check "\"$o\": sound" $fsck -d1 --extract i.erofs
	check "\"$o\": the same with another number of threads" sh -c "$mkfs --quiet -T0 -U clear --workers=1 $o 1.erofs s && cmp i.erofs 1.erofs"
	if can_mount && command -v python3 >/dev/null; then $mountimg i.erofs "$mnt" 2>why; check "\"$o\": mounts and reads back the same" same_ranges "$mnt"; umount "$mnt"
	else skip "${why_not:-there is no python3}" "\"$o\": mounts and reads back the same"; fi
	check "\"$o\": is extracted with its holes" sh -c "rm -rf x; $fsck -d1 --extract=x i.erofs && test \$(du -sk x | cut -f1) -lt 8000"
done
if command -v strace >/dev/null; then
	strace -f -e trace=pread64,read -o calls $mkfs --quiet -zlz4 -E48bit i.erofs s
	read_bytes=$(awk '/pread64\(.*= [0-9]+$/ {n += $NF} END {print n + 0}' calls); echo "$read_bytes bytes read" >why
	check "no hole is read ($read_bytes bytes of 1 TiB)" test "$read_bytes" -lt 12000000
else skip "there is no strace" "no hole is read"; fi
fails 1 'max-waste.*-E48bit' "holes that cost more than --max-waste" $mkfs --quiet --max-waste=1M no.erofs s
fails 1 'max-waste.*-E48bit without --chunksize' "and of a chunk size that was asked for" $mkfs --quiet --chunksize=65536 no.erofs s
check "none of them left an image" test ! -e no.erofs
mkdir tm e; if is_root && mount -t tmpfs tmpfs tm 2>/dev/null; then
	mkdir tm/s; truncate -s 9223372036854775807 tm/s/f; echo x | dd of=tm/s/f bs=1 seek=1000000000000 conv=notrunc status=none
	fails 1 'max-waste' "a file of 2^63 - 1 bytes as chunks" $mkfs --quiet no.erofs tm/s
	check "and with 48BIT" sh -c "$mkfs --quiet -E48bit e.erofs tm/s && $fsck -d1 --extract e.erofs && test \$(stat -c %s e.erofs) -lt 20000"
	umount tm
else skip "needs root to mount a tmpfs" "files of 2^63 - 1 bytes"; fi
if command -v python3 >/dev/null; then
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ERO_SOURCE/tests/system python3 -c "from mkinput import *
write('t.tar', extended((b'GNU.sparse.map', b'0,5'), (b'GNU.sparse.size', b'4611686018427387904'), (b'GNU.sparse.numblocks', b'1')), header(b'f', 5), padded(b'abcde'), END)"
	fails 1 'max-waste' "an archive with a file of 2^62 bytes" $mkfs --quiet --tar=f no.erofs t.tar
	check "and with 48BIT" sh -c "$mkfs --quiet -E48bit --tar=f e.erofs t.tar && $dump --path=/f e.erofs | grep -q 'Size: 4611686018427387904 '"
else skip "there is no python3" "archives"; fi
finish
