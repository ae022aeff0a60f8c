# Every invariant that can be broken is found broken: an image each, damaged in one place.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
mkdir -p t/dir/sub; echo hello >t/a; ln t/a t/dir/hard; ln -s a t/link; mkfifo t/fifo
perl -e 'srand 5; print join(" ", map { int rand 1000 } 1..40000)' >t/b; cp t/b t/c; head -c 9000 t/b >t/two
head -c 8192 /dev/urandom >t/random; head -c 30000 /dev/zero >t/zeros; tail -c 100 t/b >last
for i in $(seq 40); do : >"t/dir/sub/entry-$i"; done
setfattr -n user.x -v value t/a; setfattr -n user.y -v value t/a; setfacl -m u:5:r t/two
$mkfs --quiet -T0 -U clear plain t; $mkfs --quiet -T0 -U clear -zlz4 lz4 t; $mkfs --quiet -T0 -U clear -zlz4 -C16384 big t
$mkfs --quiet -T0 -U clear -E force-inode-extended extended t; $mkfs --quiet -T0 -U clear --preset=dense dense t
$mkfs --quiet -T0 -U clear --chunksize=4096 --blobdev=blob devices t; $mkfs --quiet -T0 -U clear -E xattr-name-filter filter t
$mkfs --quiet -T0 -U clear -E noinline_data noinline t
$mkfs --quiet -T0 -U clear -E legacy-compress -zlz4 full t
for i in plain noinline lz4 full big extended dense filter; do check "$i is clean" $fsck -d1 --extract $i; done
check "devices is clean" $fsck -d1 --extract --device=blob devices

at() { echo $(($($dump --json --path="$2" "$1" | jq .nid) * 32)); }
first_extent() { $dump --json -e --path="$2" "$1" | jq '.extents[0].physical'; }
tried=
breaks() { # ID IMAGE OFFSET HEX NAME [FSCK-OPTION…]: such a change is found as ID, and as an error exactly if the catalogue says so
	id=$1 image=$2 offset=$3 hex=$4 name=$5; shift 5
	cp $image m; perl -e 'print pack "H*", $ARGV[0]' "$hex" | dd of=m bs=1 seek=$offset conv=notrunc 2>/dev/null
	$fsck --no-sbcrc --json "$@" m >why 2>&1; code=$?
	severity=$($fsck --explain=$id --json | jq -r .severity)
	jq -e --arg id "$id" --arg s "$severity" '[.findings[] | select(.id == $id and .severity == $s)] | length > 0' why >/dev/null &&
		if [ "$severity" = error ]; then [ $code -eq 4 ]; else [ $code -eq 0 ] || jq -e '.errors > 0' why >/dev/null; fi
	ok $? "$id: $name"
	tried="$tried $id"
}
le32() { printf '%02x%02x%02x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }

breaks super.checksum plain 1030 ff "a checksum"
breaks super.not-erofs plain 1024 00 "the magic number"
breaks super.damaged plain 1036 07 "blocks of 128 bytes"
cp plain m; printf '\020' | dd of=m bs=1 seek=1106 conv=notrunc 2>/dev/null; tried="$tried super.unsupported"
check "super.unsupported: a feature of another time" sh -c "$fsck --no-sbcrc --json m >out 2>/dev/null; test \$? -eq 8 && jq -e '.findings[].id == \"super.unsupported\"' out"
breaks super.reserved plain 1144 01 "a reserved byte"
breaks super.size plain 1060 ffff0000 "more blocks than there are"
breaks super.slots plain 1037 ff "255 extension slots"
breaks super.time plain 1056 ffffffff "nanoseconds"
breaks super.root plain 1038 $(printf '%02x%02x' $(($(at plain /a) / 32 & 255)) $(($(at plain /a) / 32 >> 8))) "a file for a root"
breaks super.inodes plain 1040 ff "the number of inodes"
cp devices m; tried="$tried super.devices"
check "super.devices: an extra device that is not given" sh -c "$fsck --json m | jq -e '.findings[].id == \"super.devices\"'"
breaks device.table devices 1112 ffff "a table behind the end"
table=$(($(od -An -tu2 -j1112 -N2 devices) * 128))
breaks device.overlap devices $((table + 68)) 01000000 "a device in the primary one's blocks" --device=blob
breaks config.range big 1156 ffff "pclusters of 65535 blocks"
breaks config.distance big 1154 0010 "matches of 4 KiB"
breaks feature.missing big 1104 00 "big pclusters that are not announced"
breaks feature.chunked devices 1104 08 "chunks that are not announced" --device=blob
breaks feature.missing plain 1115 01 "a long prefix that is not announced"
breaks feature.unused plain 1104 20 "fragments in an image without"

a=$(at plain /a) b=$(at plain /b) link=$(at plain /link) root=$(at plain /) sub=$(at plain /dir/sub) fifo=$(at plain /fifo) two=$(at plain /two)
breaks inode.damaged plain $((a + 4)) ff0f "a mode that is no type"
breaks inode.damaged plain $a 2000 "a format without a meaning"
breaks inode.damaged plain $fifo 0800 "a pipe in chunks"
breaks inode.overlap plain $((b + 2)) 3000 "an xattr body over the next inodes"
breaks inode.nlink plain $((a + 6)) 03 "a link count"
breaks inode.time extended $(($(at extended /a) + 40)) ffffffff "nanoseconds"
breaks inode.mtime plain $((a + 12)) 01 "a time of its own"
breaks inode.high extended $(($(at extended /a) + 6)) 01 "an address of 33 bits"
breaks inode.owner extended $(($(at extended /a) + 24)) ffffffff "no user"
breaks inode.reserved plain $((a + 28)) 01 "a reserved byte"
breaks inode.special-size plain $((fifo + 8)) 01 "a pipe of a byte"
breaks inode.link-size plain $((link + 8)) 00000000 "a link to nothing"
breaks inode.link-target plain $((link + 32)) 00 "a zero in a target"

names=$((root + 32)) # the root's entries lie behind its inode
breaks dir.unreadable plain $((sub + 8)) 00f0ffff "a directory longer than the image"
breaks dir.block plain $((names + 8)) 0500 "entries that end at byte 5"
breaks dir.entry plain $((names + 20)) 0000 "a name over the entries"
first=$(od -An -tu2 -j$((names + 8)) -N2 plain | tr -d ' ') # ".", "..", a, b, …
breaks dir.name plain $((names + first + 3)) 2f "a name of a slash"
breaks dir.order plain $((names + first + 3)) 7a "a z before the b"
breaks dir.duplicate plain $((names + first + 3)) 62 "a second b"
breaks dir.dot plain $names 00000000 "a dot that is elsewhere"
breaks dir.dotdot plain $((sub + 32 + 12)) $(le32 $((a / 32))) "two dots that are elsewhere"
breaks dir.type plain $((names + 34)) 02 "a file as a directory"
breaks dir.nid plain $((names + 24)) ffffffff "an inode behind the end"
breaks dir.twice plain $((names + 24)) $(le32 $((sub / 32))) "a directory with two names"
breaks dir.nlink plain $((root + 6)) 09 "a directory's link count"
breaks dir.reserved plain $((names + 11)) 01 "a reserved byte"

breaks xattr.damaged plain $((a + 32 + 12)) ff "a name longer than the body"
breaks xattr.reserved plain $((a + 32 + 6)) 01 "a reserved byte"
breaks xattr.name plain $((a + 32 + 12)) 00 "a user xattr without a name"
fa=$(at filter /a); breaks xattr.filter filter $((fa + 32)) ffffffff "a filter that denies what is there"
breaks xattr.duplicate plain $((a + 32 + 28)) 78 "two of one name"
breaks xattr.acl plain $((two + 32 + 16)) 03 "an ACL of version 3"

breaks extent.map lz4 $(($(at lz4 /b) + 8)) 00ff0f00 "a size that the extents do not cover"
breaks extent.range plain $((b + 16)) ffff0000 "data behind the end"
breaks extent.algorithm big $(( ($(at big /b) + 32 + 7) / 8 * 8 + 6)) 02 "an algorithm that is not configured"
breaks extent.start plain $((two + 16)) ffffffff "whole blocks without a start"
breaks extent.over-metadata plain $((b + 16)) $(le32 $((a / 4096))) "data where inodes are"
breaks extent.overlap lz4 $(($(at lz4 /random) + 16)) $(le32 $(($(first_extent lz4 /b) / 4096))) "plain data over encoded data"
entry=$(($(at full /b) + 48)) # behind inode, header and gap
breaks extent.reserved full $((entry + 1)) 10 "a bit of an index entry"
breaks extent.reserved big $(($(at big /b) + 37)) 01 "a bit of the header of a map"
breaks data.hole full $((entry + 1)) 40 "a hole over data" --extract
$dump --cat --path=/b m >got
check "kernels from 7.2 on read it as zeros, and so do we" cmp -n 4096 got /dev/zero
check "and all behind it as it is" sh -c "tail -c 100 got | cmp - last"
entry=$(($(at full /zeros) + 48)); cp full m; printf '\100' | dd of=m bs=1 seek=$((entry + 1)) conv=notrunc 2>/dev/null
check "a hole that is stored as zeros is fine" $fsck --no-sbcrc -d1 --extract m
check "it is shown as one" sh -c "$dump --json -e --path=/zeros m | jq -e '.extents[0].kind == \"hole\"'"
last=$(($(at full /b) + 48 + $(stat -c %s t/b) / 4096 * 8)) # marks the end of the file, inside of a logical cluster
breaks extent.map full $((last + 1)) 40 "a hole behind the end, which begins before it for kernels from 7.2 on"
$mkfs --quiet -T0 -U clear -E legacy-compress,all-fragments -zlz4 packed t
packed=$(($($dump --json packed | jq .packed_nid) * 32 + 48))
breaks data.hole packed $((packed + 1)) 40 "a hole over what all files refer to" --extract
$mkfs --quiet -T0 -U clear -E legacy-compress,fragments -zlz4 -C32768 tails t # erofs-utils give a fragment of several logical clusters no blocks
tail=$($dump --json -e --path=/b tails | jq '.extents[-1] | select(.kind == "fragment" and .length > 8192) | .logical')
entry=$(($(at tails /b) + 48 + (tail / 4096 + 1) * 8))
check "where the blocks of a fragment are told" sh -c "od -An -tx2 -j$((entry + 4)) -N2 tails | grep -q ' 08'"
cp tails m; printf '\000\010' | dd of=m bs=1 seek=$((entry + 4)) conv=notrunc 2>/dev/null
check "a fragment without blocks is fine" $fsck --no-sbcrc -d1 --extract m
mkdir s; for i in 1 2 3; do head -c 9000 t/b | tr 0-9 "$i-9a-z" >s/x$i; done; tr 0-9 d-m <t/b | head -c 17000 >s/y
$mkfs --quiet -T0 -U clear -E legacy-compress -zlz4 -C16384 sizes s
breaks extent.overlap sizes $(($(at sizes /y) + 52)) $(le32 $(($(first_extent sizes /x2) / 4096))) "a larger extent where another is"
breaks data.padding noinline $(($(first_extent noinline /a) + 4000)) 41 "a byte behind the end" --extract
breaks data.damaged lz4 $(($(first_extent lz4 /b) + 3000)) $(printf 'ff%.0s' $(seq 300)) "data that does not decode" --extract
(cat plain; head -c 8192 /dev/zero) >longer; breaks space.lost longer 1060 $(le32 $(($(stat -c %s longer) / 4096))) "two blocks that nobody uses"
breaks data.damaged big 1154 0010 "matches farther back than is announced" --extract
cp blob m2; printf x | dd of=m2 bs=1 seek=5000 conv=notrunc 2>/dev/null; breaks device.digest devices 1100 00 "a device in which one byte differs" --extract --device=m2
mkdir w; for i in $(seq 12); do head -c $((9000 + i * 100)) t/b | tr 0-9 "$(printf '%s' 0123456789abcdefghijklm | cut -c$i-$((i + 9)))" >w/x$i; done
$mkfs --quiet -T0 -U clear -E legacy-compress -zlz4 -C16384 ways w; cp ways ways.all
for i in $(seq 12); do perl -e 'print pack "V", $ARGV[0]' $(($(first_extent ways /x1) / 4096)) | dd of=ways.all bs=1 seek=$(($(at ways /x$i) + 52)) conv=notrunc 2>/dev/null; done
breaks extent.ways ways.all 1100 00 "twelve files of twelve lengths with the same bytes" --extract
if command -v python3 >/dev/null; then PYTHONDONTWRITEBYTECODE=1 python3 "$ERO_SOURCE/tests/system/mkhostile.py" shared_directories shared 3; breaks dir.shared shared 1100 00 "directories with the same blocks"
else skip "there is no python3" "dir.shared"; tried="$tried dir.shared"; fi
: >why; for id in $($fsck --checks --json | jq -r '.[].id' | grep -vE '^(io|extract|digest|verity|space)\.'); do case " $tried " in *" $id "*) ;; *) echo "$id" ;; esac; done >why
test ! -s why; ok $? "every invariant was broken once"
grep -ohE '(ero_check_tell|ero_check_differs|ero_extract_tell)\([^;]*' "$ERO_SOURCE"/lib/check/*.c "$ERO_SOURCE"/lib/extract/*.c | grep -oE '"[a-z]+\.[a-z-]+"' | tr -d '"' | sort -u >told
for id in $(cat told); do $fsck --explain=$id >/dev/null 2>&1 || echo "$id"; done >why
test ! -s why && [ $(wc -l <told) -gt 30 ]; ok $? "everything that is told is in the catalogue"
finish
