# Every option does what its help says.
. "$(dirname "$0")/lib.sh"
t=$work/t; mkdir -p "$t/sub"; cd "$work" || exit 1
echo hello >t/a; echo world >t/sub/b; seq 20000 >t/numbers; ln t/a t/sub/hard; touch -d@1500000000 t/a t/sub/b t/numbers t/sub t
img=$work/i.erofs
build() { $mkfs --quiet "$@" "$img" "$t"; }
has() { # NAME JSON-PATTERN DUMP-ARGS…
	name=$1 pattern=$2; shift 2
	"$dump" --json "$@" "$img" >"$work/why" 2>&1
	grep -qE "$pattern" "$work/why"; ok $? "$name"
}
build -L my-label; has "-L" '"label": "my-label"'
build -U 01234567-89ab-cdef-0123-456789abcdef; has "-U" '"uuid": "01234567-89ab-cdef-0123-456789abcdef"'
build -U clear; has "-U clear" '"uuid": "00000000-0000-0000-0000-000000000000"'
build -U random; cp "$img" r1; build -U random; check "-U random differs" sh -c "! cmp -s r1 $img"
build -T 1234; has "-T is the build time" '"created": 1234'; has "and that of files" '"mtime": 1234' --path=/a
build -T1234 --mkfs-time; has "--mkfs-time: the build time" '"created": 1234'; has "but not of files" '"mtime": 1500000000' --path=/a
build -T 1600000000 --mkfs-time; has "--mkfs-time with a later build time" '"created": 1600000000'
SOURCE_DATE_EPOCH=77 build; has "SOURCE_DATE_EPOCH" '"created": 77'
build --ignore-mtime -T5; has "--ignore-mtime" '"mtime": 5' --path=/a
build --all-root; has "--all-root" '"uid": 0' --path=/a
build --force-uid=5 --force-gid 6; has "--force-uid" '"uid": 5' --path=/a; has "--force-gid" '"gid": 6' --path=/a
build --force-uid=10 --uid-offset=100000 --force-gid=10 --gid-offset=-3; has "--uid-offset" '"uid": 100010' --path=/a; has "--gid-offset" '"gid": 7' --path=/a
fails 1 'uid-offset' "an offset below 0 is refused" $mkfs --force-uid=10 --uid-offset=-11 "$img" "$t"
build --exclude-path=sub/b; check "--exclude-path" sh -c "! $dump --ls --path=/sub $img | grep -q ' b$' && $dump --ls --path=/sub $img | grep -q hard"
build --exclude-regex '^s.*/h'; check "--exclude-regex" sh -c "! $dump --ls --path=/sub $img | grep -q hard"
build; has "hard links are kept" '"nlink": 2' --path=/a
build --hard-dereference; has "--hard-dereference" '"nlink": 1' --path=/a
build -b1024; has "-b" '"block_size": 1024'
for o in -Enosbcrc; do build $o; has "$o" '"checksum_good": null'; done
build -Exattr-name-filter; has "-Exattr-name-filter" xattr_filter
build -Eforce-inode-extended; has "-Eforce-inode-extended" '"inode_size": 64' --path=/a
build -Eforce-inode-compact; has "-Eforce-inode-compact" '"inode_size": 32' --path=/numbers
build; has "files of the common time have 32-byte inodes" '"inode_size": 32' --path=/a
build -E^inline_data; has "-E^inline_data" '"layout": "flat plain"' --path=/a
build; has "inline by default" '"layout": "flat inline"' --path=/a
build -zlz4 -Elegacy-compress; has "-Elegacy-compress" '"layout": "compressed full"' --path=/numbers
build -zlz4; has "-z" '"layout": "compressed compact"' --path=/numbers
build -zzstd -C65536; has "-z zstd" '"zstd"'
build -zlz4hc --max-extent-bytes=8192; check "--max-extent-bytes" sh -c "test \$($dump --json -e --path=/numbers $img | jq '[.extents[].length] | max') -le 8192"
build --chunksize=4096; has "--chunksize" '"layout": "chunk based"' --path=/numbers
build -zlz4 -Eztailpacking; check "-Eztailpacking" sh -c "$dump --path=/numbers -e $img | grep -q 'with the inode'"
build -zlz4 -Efragments; has "-Efragments" '"fragment"' --path=/a -e; has "and only its feature" '"feature_incompat": 33' -s
fails 1 'need an algorithm' "fragments of nothing" $mkfs -Efragments "$img" "$t"
fails 1 'pcluster size' "-Efragments=junk" $mkfs -zlz4 -Efragments=junk "$img" "$t"
build --dsunit=8; check "--dsunit" sh -c "test \$(( \$($dump --json -e --path=/numbers $img | jq '.extents[0].physical') % 32768 )) -eq 0"
build --fsalignblks=256; check "--fsalignblks" test $(($(stat -c %s "$img") % 1048576)) -eq 0
build --root-xattr-isize=100; check "--root-xattr-isize" sh -c "test \$($dump --json --path=/ $img | jq .xattr_size) -ge 100"
printf '# a comment\n16384 1 numbers$\n0 \\.raw$\n' >hints; seq 20000 >t/x.raw
build -zlz4:zstd --compress-hints hints; has "--compress-hints: algorithm" '"zstd"' --path=/numbers -e; has "and plain" '"layout": "flat' --path=/x.raw
printf 'what is this\n' >badhints; fails 1 'badhints, line 1' "bad hints are told with their line" $mkfs -zlz4 --compress-hints=badhints "$img" "$t"
build --offset=8192; check "--offset" sh -c "$fsck -d1 --offset=8192 $img && $dump --offset=8192 -s $img | grep -q UUID && test \$(stat -c %s $img) -gt 8192"
check "options may follow operands" $mkfs "$img" "$t" -zlz4 --quiet
check "--opt X and --opt=X" $mkfs --quiet --chunksize 4096 "$img" "$t"
check "-x -1 and -x-1" sh -c "$mkfs --quiet -x -1 $img $t && $mkfs --quiet -x-1 $img $t"
check "-E with several words" $mkfs --quiet -zlz4 -E ztailpacking,^inline_data,xattr-name-filter "$img" "$t"
for o in --tar=i --oci=f; do fails 1 'not yet' "$o says that it is not there" $mkfs --quiet $o "$img" "$t"; done
check "--help on standard output, with --tar=" sh -c "$mkfs --help 2>/dev/null | grep -q -- '--tar='"
check "--version begins with the level of compatibility" sh -c "$mkfs --version | head -n 1 | grep -oE '[0-9]+\.[0-9.]+' | head -n 1 | grep -qx 1.9.4"
check "--json" sh -c "$mkfs --json $img $t | jq -e '.inodes == 6 and .hard_links == 1 and .first_kernel == \"5.4\"'"
check "--quiet prints nothing" sh -c "test -z \"\$($mkfs --quiet $img $t 2>&1)\""
check "a pipe as image" sh -c "$mkfs --quiet -T0 -U clear - $t >p.erofs && $mkfs --quiet -T0 -U clear q.erofs $t && cmp p.erofs q.erofs"
mkdir d; build() { $mkfs --quiet "$@" "$t/self.erofs" "$t"; }
build; build; check "an image inside its source is no part of itself" sh -c "! $dump --ls --path=/ $t/self.erofs | grep -q self"
rm -f "$t/self.erofs"
if command -v setfattr >/dev/null && "$mkfs" --help | grep -q file-contexts; then
	printf '/.*\tsystem_u:object_r:any_t:s0\n/opt/sub(/.*)?\tsystem_u:object_r:sub_t:s0\n' >contexts
	$mkfs --quiet --file-contexts=contexts --mount-point=/opt "$img" "$t" 2>why
	if grep -q 'configured without' why; then skip "built without libselinux" "--file-contexts"
	else check "--file-contexts with --mount-point" sh -c "$dump --json --path=/sub/b $img | grep -q sub_t && $dump --json --path=/a $img | grep -q any_t"; fi
fi
finish
