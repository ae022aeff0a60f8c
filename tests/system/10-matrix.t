# Every encoding: built, checked, mounted and compared, extracted and compared. The tree is this machine's own.
. "$(dirname "$0")/lib.sh"
tree=$work/tree
if [ -n "${ERO_TORTURE:-}" ] && [ -d "${ERO_CORPUS:-/var/tmp/corpus}/rootfs" ]; then tree=${ERO_CORPUS:-/var/tmp/corpus}/rootfs
else real_tree "$tree"; fi
sum "$tree" >"$work/tree.sum"
img=$work/i.erofs
variants_of_slow=
[ -n "$sanitized" ] && variants_of_slow=1

try() { # NAME OPTIONS…
	what=$1; shift
	check "$what: builds" $mkfs --quiet "$@" "$img" "$tree" || return
	check "$what: is clean, all data decodes" $fsck -d1 --extract "$img"
	if can_mount; then check "$what: mounts and reads back the same" mounted_equals "$img" "$work/tree.sum"
	else skip "$why_not" "$what: mounts and reads back the same"; fi
}
for alg in none lz4 lz4hc lzma deflate zstd; do
	z=-z$alg
	[ $alg = none ] && z=--workers=2
	try "$alg, default" $z
	try "$alg, -b1024" $z -b1024
	[ -n "$variants_of_slow" ] && continue # under sanitizers these say nothing more
	try "$alg, -b512" $z -b512
	try "$alg, -b2048" $z -b2048
	if [ $alg = none ]; then
		try "none, -Enoinline_data" -Enoinline_data
		try "none, -Eforce-inode-extended" -Eforce-inode-extended
		try "none, chunks of 4096" --chunksize=4096
		try "none, chunks of 1 MiB with indexes" --chunksize=1M -Eforce-chunk-indexes
	else
		try "$alg, -C65536" $z -C65536
		try "$alg, -Eztailpacking" $z -Eztailpacking
		try "$alg, -C65536 -Efragments" $z -C65536 -Efragments
		try "$alg, -C65536 -Eall-fragments" $z -C65536 -Eall-fragments
		try "$alg, -C1048576 -Eztailpacking" $z -C1048576 -Eztailpacking
	fi
done
try "lz4, full indexes" -zlz4 -Elegacy-compress
try "lz4hc, level 12, extents of 16 KiB" -zlz4hc,12 --max-extent-bytes=16384
try "lzma with its own settings" -zlzma,level=0,dictsize=65536,lc=2,lp=1,pb=1
try "deflate with a small window" -zlibdeflate,level=12 -C8192
try "zstd, level 19, -b4096 -C262144" -zzstd,level=19 -C262144
$mkfs --quiet -zlz4hc "$img" "$tree"
check "extraction gives the same tree" extracted_equals "$img" "$work/tree.sum"
finish
