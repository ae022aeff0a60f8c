# The dense form and --for-kernel: gathering, duplicates, random data, records of every size, what is refused.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
t=t; mkdir -p $t/a $t/b
img=i.erofs
for i in $(seq 200); do seq $i $((i * 7)) >$t/a/numbers-$i; done
cp -a $t/a/numbers-77 $t/b/same; cp -a $t/a/numbers-5 $t/b/same-5
seq 300000 >$t/large; cp $t/large $t/b/large-again
head -c 3000000 /dev/urandom >$t/random; head -c 70000 /dev/urandom >$t/random-odd
{ seq 100000; head -c 2500000 /dev/urandom; seq 100000 200000; } >$t/mixed
# the commonest fraction of a second is the one that 32-byte inodes keep: here it is none, in more files than one clock tick makes
for i in 1 2 3; do touch -d "2020-0$i-0$i" "$t/a/numbers-$i"; done; for i in $(seq 10 60); do touch -d 2020-04-04 "$t/a/numbers-$i"; done
sum $t >t.sum
json() { "$dump" --json "$@" $img; }
holds() { # NAME JQ-FILTER DUMP-ARGS…
	name=$1 filter=$2; shift 2
	json "$@" >"$work/why" 2>&1; jq -e "$filter" <"$work/why" >/dev/null; ok $? "$name"
}
same_tree() { # NAME
	check "$1: is clean, all data decodes" $fsck -d1 --extract $img
	if can_mount; then check "$1: mounts and reads back the same" mounted_equals $img t.sum; else skip "$why_not" "$1: mounts"; fi
	check "$1: extracts the same" extracted_equals $img t.sum
}

check "--preset=dense builds" $mkfs --json --preset=dense $img $t
check "equal files are counted" sh -c "$mkfs --json --preset=dense $img $t | jq -e '.duplicate_files == 3 and .packed_files >= 200'"
same_tree "dense"
holds "48BIT, fragments and compression settings" '.feature_incompat == 163' -s
holds "32-byte inodes keep their times" '.inode_size == 32 and .mtime == 1580601600' --path=/a/numbers-2
holds "a small file is a fragment" '.extents[0].kind == "fragment"' --path=/a/numbers-9 -e
check "an equal one is the same fragment" sh -c "a=\$($dump --json -e --path=/a/numbers-77 $img | jq .extents[0].physical); b=\$($dump --json -e --path=/b/same $img | jq .extents[0].physical); test \$a = \$b && test \$a != null"
holds "random data is plain, in whole blocks" '.layout == "flat plain" and .extents[0].physical % 4096 == 0' --path=/random -e
check "the summary names kernels to avoid" sh -c "$mkfs --preset=dense $img $t | grep -q 'read wrong by 6.15'"
sizes="4096 65536 1M 8M 12M"
[ -n "$sanitized" ] && sizes="4096 12M" # under sanitizers the others say nothing more
for e in $sizes; do
	for z in lz4 zstd,level=1 lzma,level=0 deflate; do
		check "-z$z --extent-size=$e builds" $mkfs --quiet -z$z --extent-size=$e $img $t
		same_tree "-z$z --extent-size=$e"
	done
done
mkdir much; head -c 9000000 /dev/urandom | base64 -w0 >much/letters
for z in lz4 lzma,level=0 zstd,level=1 deflate; do
	check "-z$z, extents of 8 MiB that become too long" $mkfs --quiet -z$z --extent-size=8M $img much
	holds "-z$z: all but the last are nearly as long as they may be" '(.extents | length) > 8 and (.extents[:-1] | all(.stored > 1015000))' --path=/letters -e
	check "-z$z: they are clean, all data decodes" $fsck -d1 --extract $img
done
truncate -s 24M much/hole; cp much/hole much/zeros; head -c 30000000 /dev/zero >>much/zeros; seq 100000 >>much/zeros; seq 300000 >much/after
sum much >much.sum
for z in lz4 lzma,level=0 zstd,level=1 deflate; do # whole jobs of zeros, of several extents
	check "-z$z --extent-size=2M: zeros and holes build" $mkfs --quiet -z$z --extent-size=2M $img much
	check "-z$z: they are clean, all data decodes" $fsck -d1 --extract $img
	check "-z$z: they extract the same" extracted_equals $img much.sum
done
for z in lzma,level=0 zstd,level=1; do
	check "-z$z: the same bytes in eight threads" sh -c "$mkfs --quiet -T0 -U clear --workers=8 -z$z --extent-size=2M 8.erofs much && $mkfs --quiet -T0 -U clear --workers=1 -z$z --extent-size=2M 1.erofs much && cmp 1.erofs 8.erofs"
done
rm -rf much
for w in 2 3 8; do
	$mkfs --quiet -T0 -U clear --preset=dense --workers=1 one.erofs $t; $mkfs --quiet -T0 -U clear --preset=dense --workers=$w $img $t
	same "$w workers make the same bytes" one.erofs $img
done
printf '4096 1 large$\n0 mixed$\n' >hints
check "hints: another algorithm, or none" $mkfs --quiet -zzstd:lz4 --extent-size=65536 --compress-hints=hints $img $t
same_tree "hints"
holds "the one with the hint uses lz4" '[.extents[].kind] | index("lz4")' --path=/large -e
tar --format=posix -cf t.tar -C $t .
check "from an archive" $mkfs --quiet --preset=dense --tar=f $img t.tar
same_tree "archive"
mkdir nothing
check "of an empty directory" $mkfs --quiet --preset=dense $img nothing
check "an empty image is clean" $fsck -d1 --extract $img

# metadata as the content of an inode
setfattr -n user.some.name -v value $t/large $t/a/numbers-1 $t/a/numbers-2 $t/a/numbers-3 2>/dev/null; ln -s "$(head -c 300 /dev/zero | tr '\0' x)" $t/b/link; mkdir $t/many
for i in $(seq 900); do : >$t/many/a-file-of-some-length-$i; done; sum $t >t.sum
boxes="--preset=dense -m65536;-zlz4 -m4096 --xattr-prefix=user.some."
[ -n "$sanitized" ] || boxes="$boxes;--preset=dense -m4096;--preset=dense -m1M:lz4;-zlz4 -m16384 -b1024;-zlz4hc -C65536 -Efragments -m65536:zstd;-zlz4 -m65536 -x0"
[ -n "$sanitized" ] || boxes="$boxes;-zlz4 -m4096 --xattr-prefix=user.some. -Eplain-xattr-prefixes;-zzstd -m8192 -Eforce-inode-extended"
echo "$boxes" | tr ';' '\n' >boxes
while read -r o; do
	check "\"$o\" builds" $mkfs --quiet $o $img $t
	same_tree "\"$o\""
done <boxes
$mkfs --quiet -T0 -U clear --preset=dense $img $t; loose=$(stat -c %s $img) pages=$($dump --footprint --json $img | jq .pages.stat)
$mkfs --quiet -T0 -U clear --preset=dense -m65536 --workers=1 one.erofs $t; $mkfs --quiet -T0 -U clear --preset=dense -m65536 --workers=4 $img $t
same "-m: the number of workers does not show" one.erofs $img
check "-m makes the image smaller, and its metadata fewer pages" test "$(stat -c %s $img)" -lt $loose -a "$($dump --footprint --json $img | jq .pages.stat)" -lt $pages
holds "metadata pages of a metabox are not data" '.metadata_pages_with_data == 0' --footprint
check "a metabox of nothing" $mkfs --quiet --preset=dense -m65536 $img nothing
check "is clean" $fsck -d1 --extract $img
fails 1 '-z, or --preset, is missing' "-m without an algorithm" $mkfs -m65536 $img $t
fails 1 'power of two' "-m with a size that is none" $mkfs -zlz4 -m5000 $img $t
fails 1 'no number from' "-m over its limit" $mkfs -zlz4 -m2M $img $t
fails 1 'lz5' "-m with an algorithm that is none" $mkfs -zlz4 -m65536:lz5 $img $t
fails 1 'would need Linux 6.17' "-m for a kernel that cannot" $mkfs --for-kernel=6.16 -zlz4 -m65536 $img $t

fails 1 'there are compat, dense' "an unknown preset" $mkfs --preset=best $img $t
fails 1 'power of two' "an extent size that is none" $mkfs -zzstd --extent-size=100000 $img $t
fails 1 'power of two' "an extent size over the limit" $mkfs -zzstd --extent-size=16M $img $t
fails 1 'leave dictsize out' "DEFLATE with a window smaller than its extents" $mkfs -zdeflate,dictsize=4096 --extent-size=65536 $img $t
fails 1 '-z is missing' "an extent size without an algorithm" $mkfs --extent-size=65536 $img $t
fails 1 'do not go with it' "-C with an extent size" $mkfs -zzstd -C65536 --extent-size=65536 $img $t
fails 1 'needs -E48bit' "-Edot-omitted alone" $mkfs -Edot-omitted $img $t
fails 1 'would need Linux 6.15' "--for-kernel refuses what it cannot read" $mkfs --for-kernel=6.12 --preset=dense $img $t
fails 1 'would need Linux 6.10' "an algorithm, too" $mkfs --for-kernel=6.6 -zzstd $img $t
fails 1 'reads extents .* wrong' "and what it reads wrong" $mkfs --for-kernel=6.18.3 --preset=dense $img $t
fails 1 'a release such as' "--for-kernel needs a release" $mkfs --for-kernel=new $img $t
for pair in 5.4:5.4 5.10:5.4 5.17:5.17 6.1:6.1 6.12:6.10 6.18:6.17 6.17:6.10 7.1:6.17; do
	check "--for-kernel=${pair%:*} makes what ${pair#*:} reads" sh -c "$mkfs --json --for-kernel=${pair%:*} $img $t | jq -e '.first_kernel == \"${pair#*:}\"'"
	check "and it is sound" $fsck -d1 --extract $img
done
finish
