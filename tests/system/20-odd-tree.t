# A tree of everything a file system may hold, in every form of image.
. "$(dirname "$0")/lib.sh"
is_root || { skip "needs root to make devices and owners" "odd tree"; finish; exit; }
t=$work/odd
mkdir "$t"; cd "$t" || exit 1
mkdir empty dir 'with blank' '!before-dot' -- -dash
: >zero
for n in 1 511 512 513 4031 4032 4033 4095 4096 4097 8191 8192 8193 65535 65536 100000; do
	head -c $n /dev/urandom >"random-$n"
	yes "line of text $n" | head -c $n >"text-$n"
done
for n in 1700 12500; do { head -c 4000 /dev/urandom; yes 'xy z' | head -c $((n * 4)); head -c 3000 /dev/urandom; } >"ends-$n"; done
{ head -c 4000 /dev/urandom; yes 'xy z' | head -c 50000; head -c 4095 /dev/urandom; } >ends-plain
head -c 3000000 /dev/zero >zeros
{ head -c 300000 /dev/urandom; yes abcdefg | head -c 300000; head -c 5000 /dev/urandom; } >mixed
truncate -s 5G sparse; printf end | dd of=sparse bs=1 seek=5368709117 conv=notrunc 2>/dev/null; printf mid | dd of=sparse bs=1 seek=3000000000 conv=notrunc 2>/dev/null
: >"$(printf 'n%.0s' $(seq 255))"
: >"$(printf 'bad\377\376utf8')"; : >"$(printf 'new\nline')"
ln text-4096 dir/hard; ln text-4096 'with blank/hard too'
ln -s target link; ln -s "$(printf 'x%.0s' $(seq 300))" longlink; ln -s / rootlink
for n in 1000 4000; do ln -s "$(head -c $n /dev/zero | tr '\0' y)" link-$n; done
mkfifo fifo; mknod chr c 1 3; mknod blk b 259 1000000; mknod whiteout c 0 0
python3 -c 'import socket;socket.socket(socket.AF_UNIX).bind("sock")' 2>/dev/null || perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0);bind(S,sockaddr_un("sock"))'
cp /bin/true setuid; chmod 6755 setuid; mkdir sticky; chmod 1777 sticky; : >mode000; chmod 0 mode000
: >owner; chown 4294967294:4294967294 owner; : >owner16; chown 65536:65535 owner16
touch -d '1960-01-01 00:00:00.5 UTC' before-1970; touch -d '2200-01-01 UTC' far; touch -d '2020-02-02 02:02:02.123456789 UTC' nanosec
for n in $(seq 1 40); do : >"x$n"; setfattr -n user.shared -v same "x$n"; setfattr -n user.own -v "value $n" "x$n"; done
setfattr -n trusted.thing -v 'trusted value' x1; setfattr -n security.foo -v bar x2; setfattr -n user.long.prefix.name -v 1 x3
setfattr -n user.big -v "$(head -c 3000 /dev/zero | tr '\0' v)" x4; setfattr -n user.dir -v d dir; setfattr -h -n trusted.onlink -v l link
for n in $(seq 1 25); do setfattr -n user.many$n -v "$(printf 'v%.0s' $(seq $n))" x5; done
setfacl -m u:12345:rwx,g:54321:r x6; setfacl -d -m u:1:rx dir
cp /bin/true capable; setcap cap_net_raw+ep capable
mkdir large; (cd large && seq -f 'entry-with-a-name-%06.0f' 100000 | xargs touch -d '2020-01-01 UTC')
perl -e 'for (1..30) { $d = "d" x 200; mkdir $d or die; chdir $d or die } open F, ">", "deep" or die; print F "deep"'
cd "$work" || exit 1
sum "$t" >"$work/odd.sum"
img=$work/i.erofs

try() { # NAME MOUNT-OPTIONS OPTIONS…
	what=$1 opts=$2; shift 2
	check "$what: builds" $mkfs --quiet "$@" "$img" "$t"
	check "$what: is clean, all data decodes" $fsck -d1 --extract ${opts:+"--$opts"} "$img"
	if can_mount; then check "$what: mounts and reads back the same" mounted_equals "$img" "$work/odd.sum" "$opts"
	else skip "$why_not" "$what: mounts and reads back the same"; fi
}
try "plain" ""
try "dense" "" --preset=dense
try "metabox" "" --preset=dense -m16384
try "metabox of pclusters" "" -zlz4 -m65536
try "chunks on a second device" "device=$work/blob" --chunksize=65536 --blobdev="$work/blob"
rm -f "$t/sparse"; sum "$t" >"$work/odd.sum" # read often enough
try "name filter, no sharing" "" -Exattr-name-filter -x1000
try "all xattrs shared, long prefix" "" -x0 --xattr-prefix=user.long. --xattr-prefix=user.many
try "room for the root's xattrs" "" --root-xattr-isize=512
try "blocks of 512 bytes" "" -b512
try "aligned data" "" --dsunit=16 --fsalignblks=1024
try "lz4hc with inline tails" "" -zlz4hc -Eztailpacking
try "zstd, 1024-byte blocks" "" -zzstd -b1024 -C4096
try "zstd with inline tails" "" -zzstd -Eztailpacking
try "lzma, large pclusters" "" -zlzma,level=1 -C131072
try "compact, full indexes" "" -zlz4 -Elegacy-compress
try "lz4hc, tails in fragments" "" -zlz4hc -Efragments
try "zstd, tails in fragments of large pclusters" "" -zzstd -C65536 -Efragments=131072
try "lzma, all in fragments" "" -zlzma,level=1 -C65536 -Eall-fragments
try "lz4, fragments with full indexes, 1024-byte blocks" "" -zlz4 -b1024 -C8192 -Efragments,legacy-compress
try "live" "" --preset=live
try "lzma, extents of 8 MiB" "" -zlzma,level=1 --extent-size=8M
try "deflate, extents of 16 KiB" "" -zdeflate,level=6 --extent-size=16384
try "lz4, extents of 4 KiB" "" -zlz4 --extent-size=4096
try "zstd, extents of 64 KiB, 1024-byte blocks" "" -zzstd -b1024 --extent-size=65536
try "wide, uncompressed" "" -E48bit,dot-omitted
try "wide, lz4" "" -zlz4 -E48bit
$mkfs --quiet --preset=dense "$img" "$t"
check "extraction of the dense form gives the same tree" extracted_equals "$img" "$work/odd.sum"
$mkfs --quiet -zlz4 "$img" "$t"
check "extraction gives the same tree" extracted_equals "$img" "$work/odd.sum"

# sparse stays sparse, in the image and out of it
truncate -s 100G "$work/huge"; printf x | dd of="$work/huge" bs=1 seek=50000000000 conv=notrunc 2>/dev/null
mkdir "$work/s"; mv "$work/huge" "$work/s/"
$mkfs --quiet "$img" "$work/s"
check "100 GiB of holes make a small image" test "$(stat -c %s "$img")" -lt 20000000
$fsck -d1 --extract="$work/s2" "$img"
check "and come out as holes" test "$(stat -c %b "$work/s2/huge")" -lt 40000 -a "$(stat -c %s "$work/s2/huge")" -eq 107374182400

# deeper than PATH_MAX
perl -e 'chdir $ARGV[0]; mkdir "p"; chdir "p"; for (1..60) { $d = "e" x 200; mkdir $d or die; chdir $d or die } open F, ">", "f"; print F "x"' "$work"
check "paths longer than PATH_MAX build" $mkfs --quiet "$img" "$work/p"
check "and check" $fsck -d1 --extract "$img"
check "and extract" $fsck -d1 --extract="$work/p2" "$img"
check "to the same tree" sh -c "$treesum -d $work/p >$work/p.sum && $treesum -d $work/p2 >$work/p2.sum && cmp $work/p.sum $work/p2.sum"
finish
