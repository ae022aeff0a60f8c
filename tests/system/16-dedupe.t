# -Ededupe: content that is there twice is stored once, wherever it lies, in every form, and reads back the same.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
t=t img=i.erofs; mkdir $t
# programs end to end: the copies of that are shifted, edited, cut out, doubled, and in an archive
find /usr/bin -maxdepth 1 -type f -size +20k | LC_ALL=C sort | xargs cat 2>/dev/null | head -c 5000000 >$t/all
{ printf shifted; cat $t/all; } >$t/shifted
{ head -c 2000001 $t/all; echo inserted; tail -c +2000002 $t/all; } >$t/edited
tail -c +1500001 $t/all | head -c 2500001 >$t/part
cat $t/all $t/all >$t/twice
head -c 1500000 /dev/urandom >$t/random; { printf again; cat $t/random; } >$t/random-again; cp $t/random $t/random-copy
{ head -c 300000 /dev/zero; head -c 200000 $t/all; head -c 300000 /dev/zero; } >$t/between-zeros
mkdir $t/small; for i in $(seq 60); do seq $i $((i * 40)) >$t/small/$i; done
cp $t/small/60 $t/small/equal; cp $t/all $t/all-again
tar -cf x.tar -C $t small part; mv x.tar $t/archive.tar
sum $t >t.sum
bytes() { stat -c %s "$1"; }
same_tree() { # NAME
	check "$1: is clean, all data decodes" $fsck -d1 --extract $img
	if can_mount; then check "$1: mounts and reads back the same" mounted_equals $img t.sum; else skip "$why_not" "$1: mounts"; fi
	check "$1: extracts the same" extracted_equals $img t.sum
}
once=$(($(bytes $t/all) + $(bytes $t/random)))
forms="--preset=dense;-zlz4 -C65536;-zzstd,level=1 -C16384 -Efragments"
[ -n "$sanitized" ] ||
	forms="$forms;--preset=dense --extent-size=65536 -m65536;-zlz4;-zlz4 -Eztailpacking;-zzstd,level=1 -C65536 -Eall-fragments;-zdeflate,level=1 -b1024 -C8192 -Elegacy-compress;-zlzma,level=0 -C131072 -Eall-fragments;-zlz4hc,level=3 --max-extent-bytes=65536"
IFS=';'; set -- $forms; unset IFS
for form; do
	$mkfs --quiet $form -E^dedupe without.erofs $t
	check "$form -Ededupe builds" $mkfs --quiet $form -Ededupe $img $t
	echo "$(bytes $img) bytes, $(bytes without.erofs) without" >why
	test "$(bytes $img)" -lt $((once * 3 / 2)) && test "$(bytes $img)" -lt $(($(bytes without.erofs) / 2)); ok $? "$form: little more than what is there once"
	same_tree "$form"
done
check "the summary tells what is stored once" sh -c "$mkfs --json -zlz4 -C65536 -Ededupe $img $t | jq -e '.duplicate_files == 3 and .shared_bytes > 12000000'"
check "the image needs Linux 6.1" sh -c "$dump --json -s $img | jq -e '.feature_incompat % 64 >= 32'"
fails 1 'would need Linux 6.1' "--for-kernel refuses what 6.0 does not read" $mkfs -zlz4 -Ededupe --for-kernel=6.0 $img $t
for form in --preset=dense "-zlz4 -C65536 -Eall-fragments"; do
	$mkfs --quiet -T0 -U clear $form -Ededupe --workers=1 one.erofs $t
	for w in 2 7; do $mkfs --quiet -T0 -U clear $form -Ededupe --workers=$w $img $t; same "$form: $w workers make the same bytes" one.erofs $img; done
done
check "without compression: whole files" $mkfs --quiet -Ededupe $img $t
same_tree "without compression"
sparse=$(bytes $img); $mkfs --quiet without.erofs $t; test $((sparse + 6000000)) -lt "$(bytes without.erofs)"; ok $? "without compression: equal files have the same blocks"
tar --format=posix -cf t.tar -C $t .
check "from an archive" $mkfs --quiet -zlz4 -C65536 -Ededupe --tar=f $img t.tar
same_tree "from an archive"
check "^dedupe takes it back" $mkfs --quiet -T0 -U clear -zlz4 -Ededupe,^dedupe $img $t
$mkfs --quiet -T0 -U clear -zlz4 one.erofs $t; same "^dedupe: the same as without" one.erofs $img
check "fragdedupe=full is the same as dedupe" sh -c "$mkfs --quiet -T0 -U clear -zlz4 -C65536 -Efragdedupe=full $img $t; $mkfs --quiet -T0 -U clear -zlz4 -C65536 -Ededupe one.erofs $t; cmp $img one.erofs"
check "fragdedupe=inode: equal files once" sh -c "$mkfs --json -zlz4 -Eall-fragments,fragdedupe=inode $img $t | jq -e '.duplicate_files == 3 and .shared_bytes == 0'"
check "fragdedupe=off: each" sh -c "$mkfs --json -zlz4 -Eall-fragments,fragdedupe=off $img $t | jq -e '.duplicate_files == 0'"
check "--preset=dense without it" sh -c "$mkfs --json --preset=dense -E^dedupe $img $t | jq -e '.shared_bytes == 0'"

# ---- cases that were wrong once ----

fresh() { rm -rf $t; mkdir $t; }
# a random file is stored flat, and the packed inode holds a copy of its beginning
fresh; head -c 1400000 /dev/urandom >$t/flat; { head -c 262144 $t/flat; seq 60000; } >$t/packed; seq 300000 >$t/large; sum $t >t.sum
check "a copy of a flat file" $mkfs --quiet --preset=dense $img $t
same_tree "a copy of a flat file"
# a plain block that ends a file inside a block
fresh; { seq 100000 900000 | head -c 2097152; head -c 1048576 /dev/urandom; } >$t/1; { printf hello; tail -c 1600000 $t/1; } >$t/2; sum $t >t.sum
check "a copy that ends in plain blocks" $mkfs --quiet -zzstd,level=1 -Ededupe $img $t
same_tree "a copy that ends in plain blocks"
# equal files whose tails do not fit behind each inode: flat ones and encoded ones
fresh; mkdir $t/a $t/b
for i in $(seq 8); do
	seq $i $((i + 340000)) >$t/a/e$i; head -c 70000 /dev/urandom >$t/a/f$i; cp $t/a/* $t/b/
	setfattr -n user.x -v "$(head -c 3500 /dev/zero | tr '\0' x)" $t/b/e$i $t/b/f$i 2>/dev/null
done
sum $t >t.sum
check "equal files with little room behind one" $mkfs --quiet -zzstd,level=1 -Eztailpacking -Ededupe $img $t
same_tree "equal files with little room behind one"
# plain extents twice within a page
fresh; head -c 45000 /dev/urandom >again; { for i in $(seq 14); do cat again; echo "$i"; done; seq 20000; } >$t/often; sum $t >t.sum
check "random bytes again and again" $mkfs --quiet --preset=dense --extent-size=65536 $img $t
same_tree "random bytes again and again"
# within one segment
fresh; find /usr/bin -maxdepth 1 -type f -size +20k | LC_ALL=C sort | xargs cat 2>/dev/null | head -c 600000 >again; { cat again; echo; cat again; } >$t/twice
check "what a segment shares with itself is told" sh -c "$mkfs --json -zlz4 -Ededupe $img $t | jq -e '.shared_bytes > 100000 and .first_kernel == \"6.1\"'"
# holes
fresh; truncate -s 16G $t/sparse; echo end >>$t/sparse
check "a hole of 16 GiB is not read" timeout 30 $mkfs --quiet --preset=dense $img $t
# DEFLATE data does not end a byte or two into a page
fresh; find /usr/bin -maxdepth 1 -type f -size +20k | LC_ALL=C sort | xargs cat 2>/dev/null | head -c 9000000 >$t/programs; sum $t >t.sum
check "DEFLATE in extents" $mkfs --quiet -zdeflate,level=1 --extent-size=4096 $img $t
check "none ends so" sh -c "$dump --json -e --path=/programs $img | jq -e '[.extents[] | select(.kind == \"deflate\") | (.physical + .stored) % 4096 | select(. == 1 or . == 2)] | length == 0'"
same_tree "DEFLATE in extents"
finish
