# The matrix of layering: for every case the verdict of --preflight against mount(2) and reading everything. They must agree in
# both directions. The letters are subjects: A file systems below, B states of the file, C other users, D devices and offsets,
# E dirty pages, F listeners, G privilege, J FUSE, L direct I/O, N headers and features; an ending such as r is a remedy tried.
. "$(dirname "$0")/lib.sh"
can_mount || { skip "$why_not" "the layering matrix"; finish; exit; }
cd "$work" || exit 1
tools=$bin/tests/system
matrix=$work/matrix disagreements=0 undecided=0
printf '%-6s %-6s %-52s %-17s %s\n' case way what verdict "mount and read" >"$matrix"

# ---- what is judged, and what happens ----

# verdict WAY IMAGE [OPTION…]: go, no-go or undecided
verdict() {
	way=$1 image=$2; shift 2
	$as_user $fsck --preflight --as="$way" ${opts:+--mount-opts="$opts"} "$@" "$image" >"$work/report" 2>&1
	code=$?
	case $code in 0) echo go ;; 4) echo no-go ;; 8) echo undecided ;; *) echo "exit $code: $(tail -n 1 "$work/report")" ;; esac
}
# attempt WAY IMAGE SUM: ok, mount ERRNO, or read
attempt() {
	source=$2 loop= result=ok
	if [ "$1" = loop ]; then
		loop=$(losetup -r -f --show ${offset:+-o $offset} "$2" 2>/dev/null) || { echo "mount losetup"; return; }
		source=$loop
	fi
	if $as_user $mountimg "$source" "$mnt" ${opts:+"$opts"} 2>"$work/errno"; then
		sum "$mnt" >"$work/got" 2>/dev/null || result=read
		cmp -s "$3" "$work/got" || result=read
		umount "$mnt"
	else
		result="mount $(sed 's/.*(\([0-9]*\))$/\1/' "$work/errno")"
	fi
	[ -n "$loop" ] && losetup -d "$loop"
	echo "$result"
}
# try ID WAY WHAT IMAGE [OPTION…]: one case. Variables: opts mount options; want the sum (default t.sum); open=1 if nothing
# but a digest could decide it.
try() {
	id=$1 by=$2 what=$3 file=$4; shift 4
	said=$(verdict "$by" "$file" "$@")
	cp "$work/report" "$work/report.$id" 2>/dev/null
	did=$(attempt "$by" "$file" "${want:-t.sum}")
	case "$said:$did" in
	go:ok | no-go:mount* | no-go:read) agree=0 ;;
	undecided:*) agree=1; [ -n "${open:-}" ] && { agree=0; undecided=$((undecided + 1)); } ;;
	*) agree=1 ;;
	esac
	[ $agree -eq 0 ] || { disagreements=$((disagreements + 1)); { echo "said $said, was $did"; cat "$work/report"; } >"$work/why"; }
	printf '%-6s %-6s %-52s %-17s %s\n' "$id" "$by" "$what" "$said" "$did" >>"$matrix"
	ok $agree "$id $by: $what: $said, $did"
}
# finds ID RULE: the case's report named the rule.
finds() { check "$1 names $2" grep -q "$2" "$work/report.$1"; }
lacks() { check "$1 does not name $2" sh -c '! grep -q "$1" "$2"' - "$2" "$work/report.$1"; }
all_ways() { # ID WHAT FILE [OPTION…]
	i=$1 w=$2 f=$3; shift 3
	try "$i" file "$w" "$f" "$@"
	opts=directio; try "$i" file "$w, directio" "$f" "$@"; opts=
	try "$i" loop "$w" "$f" "$@"
}
opts= want= open= as_user= offset=

# ---- a tree, and images of it ----

mkdir -p t/many t/deep/er/still
for i in $(seq 1 100); do head -c $((i * 97)) /dev/urandom | od -An -tx1 >t/deep/$i; done
for i in $(seq 1 600); do : >"t/many/a-name-that-takes-room-$i"; done
head -c 2500000 /dev/urandom >t/random
seq 1 200000 >t/text
ln t/text t/deep/er/hard; ln -s ../text t/deep/link; printf '#!/bin/sh\nid -u\n' >t/suid; chmod 4755 t/suid
for i in 1 2 3; do seq $i 9000 >t/deep/er/still/$i; done
sum t >t.sum
plain=$work/plain lz4=$work/lz4 dense=$work/dense
$mkfs --quiet "$plain" t; unpadded=$(stat -c %s "$plain")
for blocks in 3 5 7; do # so that there is padding at its end
	$mkfs --quiet --fsalignblks=$blocks "$plain" t; [ "$(stat -c %s "$plain")" -eq "$unpadded" ] || break
done
$mkfs --quiet -zlz4 "$lz4" t; $mkfs --quiet --preset=dense "$dense" t
# a file system in a file: disk NAME SIZE MKFS…, mounted on NAME
disk() {
	name=$1 size=$2; shift 2
	mkdir "$name"; truncate -s "$size" "$name.disk"
	"$@" "$name.disk" >/dev/null 2>&1 && mount -o loop${disk_opts:+,$disk_opts} "$name.disk" "$name"
}
both() { cp "$plain" "$1/plain"; cp "$lz4" "$1/lz4"; }
forget() { umount "$1"; rm -f "$1.disk"; }

# ---- A: the file system below ----

kinds="ext4 ext4-1k ext3 ext2 xfs btrfs btrfs-zstd"
[ -n "$sanitized" ] && kinds="ext4 xfs btrfs-zstd" # under sanitizers the others say nothing more
for fs in $kinds; do
	disk_opts=
	case $fs in
	ext4) set -- 64M mkfs.ext4 -q -F ;; ext4-1k) set -- 64M mkfs.ext4 -q -F -b 1024 -O inline_data ;;
	ext3) set -- 64M mkfs.ext3 -q -F ;; ext2) set -- 64M mkfs.ext2 -q -F ;; xfs) set -- 320M mkfs.xfs -q ;;
	btrfs) set -- 200M mkfs.btrfs -q ;; btrfs-zstd) set -- 200M mkfs.btrfs -q; disk_opts=compress-force=zstd ;;
	esac
	command -v "$2" >/dev/null || { skip "$2 is not installed" "A1 $fs"; continue; }
	disk $fs "$@" || { skip "this kernel has no $fs" "A1 $fs"; continue; }
	both $fs; sync -f $fs
	for i in plain lz4; do all_ways A1 "$i on $fs" $fs/$i; done
	if [ $fs = btrfs-zstd ]; then
		$fsck --preflight --json $fs/plain >report.A1c; finds A1c layer.backing.compressed
		mount -o remount,compress=zstd $fs; touch $fs/copy; chattr +m $fs/copy 2>/dev/null && cat "$plain" >$fs/copy && sync -f $fs
		try A1m file "written after chattr +m" $fs/copy; $fsck --preflight --json $fs/copy >report.A1m; lacks A1m layer.backing.compressed
	fi
	[ $fs = ext4 ] || forget $fs
done
mkdir sq sqsrc er rd; cp "$plain" sqsrc/plain; cp "$lz4" sqsrc/lz4
if command -v mksquashfs >/dev/null; then
	mksquashfs sqsrc sq.img -quiet -no-progress >/dev/null && mount -o loop sq.img sq
	for i in plain lz4; do all_ways A2 "$i on squashfs" sq/$i; done
	umount sq
else skip "squashfs-tools are not installed" "A2 squashfs"; fi
$mkfs --quiet outer.erofs sqsrc; outer=$(losetup -r -f --show outer.erofs)
$mountimg "$outer" er
for i in plain lz4; do all_ways A2 "$i on erofs on a loop device" er/$i; done
umount er; losetup -d "$outer"
$mountimg outer.erofs er
for i in plain lz4; do try A3 file "$i on erofs mounted from a file" er/$i; try A3l loop "$i on erofs mounted from a file" er/$i; done
finds A3 layer.backing.stacked
umount er
mount -t ramfs ramfs rd; both rd
for i in plain lz4; do all_ways A6 "$i on ramfs" rd/$i; done
umount rd
mkdir tm; mount -t tmpfs tmpfs tm; both tm
for i in plain lz4; do try A4 file "$i on tmpfs" tm/$i; try A4l loop "$i on tmpfs" tm/$i; done
finds A4 layer.backing.no-read-folio
umount tm; mount -t tmpfs -o huge=always tmpfs tm 2>/dev/null && { both tm; try A4 file "plain on tmpfs, huge pages" tm/plain; umount tm; }
cp "$plain" /dev/erolith-test.$$; try A4 file "on devtmpfs" /dev/erolith-test.$$; rm /dev/erolith-test.$$
$tools/holdfile memfd "$plain" >memfd & holder=$!
while [ ! -s memfd ]; do sleep 0.05; done
try A4 file "a memfd" "$(cat memfd)"; try A4l loop "a memfd" "$(cat memfd)"
kill $holder; wait $holder 2>/dev/null
mkdir lower upper workdir ov; both lower; mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=workdir overlay ov
for i in plain lz4; do try A5 file "$i on overlayfs" ov/$i; try A5l loop "$i on overlayfs" ov/$i; done
cp "$plain" ov/new; try A5 file "written to overlayfs" ov/new
try A12 file "the lower file by its own path" lower/plain
umount ov; mkdir lower2; mount -t overlay -o lowerdir=lower:lower2 overlay ov; try A5 file "on a read-only overlayfs" ov/lz4; umount ov
try A7 file "a file of sysfs" /sys/kernel/notes
try A8 file "a file of proc" /proc/version; try A8 file "a directory" t; try A8 file "a character device" /dev/null
# mount(2) of a fifo waits for a writer for ever: only the verdict is asked for
mkfifo fifo; check "A8 a fifo: no-go" [ "$(verdict file fifo)" = no-go ]
try A9 file "no file of that name" nowhere; try A9 loop "no file of that name" nowhere
try A8r file "the image itself" "$plain"
for o in ro noexec nodev nosuid noatime; do
	mount --bind ext4 ov; mount -o remount,bind,$o ov; try A10 file "below a bind mount, $o" ov/plain
	[ $o = nosuid ] && finds A10 layer.policy.not-inherited && { opts=nosuid; said=$(verdict file ov/plain); opts=; cp report report.A10n; lacks A10n layer.policy.not-inherited; }
	umount ov
done
mkdir nest
truncate -s 40M ext4/nested.disk; mkfs.ext4 -q -F ext4/nested.disk && mount -o loop ext4/nested.disk nest && { cp "$lz4" nest/lz4; try A10 file "on ext4 in a file on ext4 in a file" nest/lz4; umount nest; }
rm -f ext4/nested.disk
mount -o remount,strictatime ext4; $fsck --preflight --json ext4/plain >report.A10s; finds A10s layer.io.atime
mount -o remount,noatime ext4; $fsck --preflight --json ext4/plain >report.A10a; lacks A10a layer.io.atime; mount -o remount,relatime ext4
$mountimg ext4/plain er; check "A10u what is below is pinned" sh -c '! umount ext4 2>/dev/null'; umount er
umount ext4; check "A10u and not any more when the image is unmounted" mount -o loop ext4.disk ext4

# ---- B: states of the file ----

ln -s "$plain" sym; ln "$plain" hard; cp "$plain" im; chattr +i im 2>/dev/null
try B1 file "a symbolic link" sym; try B1 file "a hard link" hard; try B1 file "a relative path" plain
try B1p file "an absolute path" "$plain"; $fsck --preflight --json "$plain" >report.B1p; lacks B1p layer.file.identity-lost
$fsck --preflight --json plain >report.B1q; finds B1q layer.file.identity-lost
exec 7<"$plain"; try B1 file "a path of /proc/self/fd" /proc/self/fd/7; exec 7<&-
cp "$plain" other; chown 1000 other; try B1 file "somebody else's" other; finds B1 layer.file.mutable; finds B1 layer.policy.setuid
opts=nosuid,nodev; said=$(verdict file other); opts=; cp report report.B1n; lacks B1n layer.policy.setuid
chattr +i other 2>/dev/null && { try B1i file "the same, immutable" other; lacks B1i layer.file.mutable; chattr -i other; }
try B1 file "immutable" im; chattr -i im
chattr +a im 2>/dev/null; try B1 file "append only" im; chattr -a im; chmod 000 im; try B1 file "mode 000, as root" im; chmod 644 im
for how in write map; do
	$tools/holdfile $how im >ready & holder=$!
	while [ ! -s ready ]; do sleep 0.05; done
	try B2 file "open for writing ($how)" im; finds B2 layer.file.writer
	kill $holder; wait $holder 2>/dev/null; rm ready
done
try B2 file "the writer has ended" im; lacks B2 layer.file.writer
size=$(stat -c %s "$plain")
meta=$($dump --footprint --json "$plain" | jq .first_metadata_page)
cut_to() { cp "$1" cut; truncate -s "$2" cut; } # IMAGE BYTES
cut_to "$plain" $((size - 1)); try B12 file "cut by a byte of padding" cut; try B12 loop "cut by a byte of padding" cut
cut_to "$plain" $((size - 100)); try B12 file "cut by 100 bytes" cut; try B12 loop "cut by 100 bytes" cut
for n in 4096 65536 2600000; do cut_to "$plain" $((size - n)); try B12 file "cut by $n bytes" cut; try B12 loop "cut by $n bytes" cut; done
finds B12 layer.file.short
for n in 1500 1024 100 0; do cut_to "$plain" $n; try B12 file "cut to $n bytes" cut; done
cut_to "$lz4" $(($(stat -c %s "$lz4") - 8192)); try B12 file "lz4, cut by two blocks" cut
cut_to "$dense" $(($(stat -c %s "$dense") / 2)); try B12 file "dense, cut to half" cut
try B12r file "fetched again" "$plain"
cp "$plain" junk; head -c 5000 /dev/urandom >>junk; try B13 file "junk behind it" junk; try B13 loop "junk behind it" junk
punch() { cp "$1" hole; fallocate -p -o $(($2 * 4096)) -l $(($3 * 4096)) hole; } # IMAGE PAGE COUNT
if fallocate -p -o 0 -l 4096 im 2>/dev/null; then
	cp "$plain" im
	punch "$plain" "$meta" 2; try B9 file "metadata is a hole" hole; try B9 loop "metadata is a hole" hole
	punch "$plain" 0 1; try B9 file "the superblock is a hole" hole
	punch "$lz4" "$($dump --footprint --json "$lz4" | jq .first_metadata_page)" 1; try B9 file "lz4: metadata is a hole" hole
	try B9r file "built again" "$plain"
	in_data() { echo $(($($dump --json -e --path="$2" "$1" | jq "[.extents[] | select(.kind != \"fragment\") | .physical] | $3") / 4096 $4)); } # IMAGE PATH WHICH PAGES
	punch "$lz4" $(in_data "$lz4" /text max -8) 4; try B10 file "lz4: compressed data is a hole" hole; try B10 loop "lz4: compressed data is a hole" hole
	punch "$dense" $(in_data "$dense" /text max -8) 4; try B10 file "dense: compressed data is a hole" hole
	$mkfs --quiet --record-verity="$plain.verity" again t && rm again
	$fsck --preflight --verity="sha256:00" "$plain" >report.B10w 2>&1; finds B10w layer.file.verity
	open=1; punch "$plain" $(in_data "$plain" /random min +100) 4; try B10 file "plain data is a hole" hole; finds B10 layer.file.holes
	mkdir z; head -c 400000 /dev/zero >z/zeros; sum z >z.sum; $mkfs --quiet --record-verity z.erofs z
	cp --sparse=always z.erofs z.sparse; cp z.erofs.verity z.sparse.verity
	want=z.sum; try B10 file "zeros of a copy are holes" z.sparse; open=
	if $fsck --preflight --verity "z.sparse" 2>&1 | grep -q 'without libfsverity'; then skip "built without libfsverity" "B10v"
	else
		try B10v file "the same, by its digest" z.sparse --verity; cp z.sparse z.bad; cp z.erofs.verity z.bad.verity
		printf x | dd of=z.bad bs=1 seek=9000 conv=notrunc 2>/dev/null; try B10v file "another, by that digest" z.bad --verity
	fi
	want=
	try B10r file "filled" "$plain"
	cp "$plain" unwritten; fallocate -z -o $((300 * 4096)) -l 16384 unwritten 2>/dev/null && try B10 file "space taken, data never written" unwritten
	cp "$plain" hole; truncate -s +1M hole; try B10 file "a hole behind the image" hole
else skip "no holes can be punched on this file system" "B9, B10"; fi
$mkfs --quiet -b512 b512 t; $mkfs --quiet -b1024 b1024 t; $mkfs --quiet -b2048 b2048 t; $mkfs --quiet -b512 -zlz4 b512z t
mkdir one; head -c 6000 /dev/urandom >one/f; sum one >one.sum
# data is last in an image whose metadata was moved in front of it: the peer's way
if command -v mkfs.erofs >/dev/null && mkfs.erofs -Enoinline_data theirs one >/dev/null 2>&1; then
	want=one.sum; full=$(stat -c %s theirs)
	try B14 file "the peer's image, data last" theirs
	truncate -s $((full - 100)) theirs; try B14 file "its last data block cut into the padding" theirs; try B14 loop "its last data block cut into the padding" theirs
	truncate -s %4096 theirs; try B14r file "padded again" theirs; try B14r loop "padded again" theirs; want=
else skip "erofs-utils is not installed" "B14"; fi

# ---- C: others who use it ----

rw=$(losetup -f --show im); try C1 file "a writable loop device is on it" im; finds C1 layer.file.writer; losetup -d "$rw"
cp "$plain" im; try C2 file "and is gone" im; lacks C2 layer.file.writer
ro=$(losetup -r -f --show im); try C3 file "a read-only loop device is on it" im; finds C3 layer.file.on-loop-too
$fsck --preflight --as=device "$ro" >report.C4 2>&1; lacks C4 layer.file.on-loop-too; try C4 device "that device" "$ro"; losetup -d "$ro"
$mountimg im er; try B7 file "mounted already" im; $fsck --preflight --json im >report.B7; finds B7 layer.file.mounted-twice; umount er

# ---- D: extra devices, offsets, options ----

$mkfs --quiet --chunksize=4096 --blobdev=blob multi t; blob=$work/blob
try D1 file "no device given" multi; finds D1 layer.dev.missing
opts=device=$blob; try D2 file "its device" multi; opts=device=$blob,directio; try D2 file "its device, directio" multi
opts=device=$blob,device=$blob; try D3 file "it twice" multi; opts=device=$blob; try D3 file "a device for an image without" "$plain"
opts=device=$work/nowhere; try D4 file "no file as device" multi; opts=device=$work; try D4 file "a directory as device" multi
opts=device=/dev/null; try D4 file "a character device as device" multi
lb=$(losetup -r -f --show blob); opts=device=$lb; try D4 file "a block device beside a file" multi
lm=$(losetup -r -f --show multi); opts=device=$lb; try D4l device "block devices both" "$lm"; opts=device=$blob; try D4 device "a file beside a block device" "$lm"
try D4 loop "by loop, with a file as device" multi
losetup -d "$lb"; losetup -d "$lm"
touch nothing; opts=device=$work/nothing; try D5 file "an empty device" multi
head -c $(($(stat -c %s blob) / 8192 * 4096)) blob >half; opts=device=$work/half; try D5 file "half of it" multi
head -c "$(stat -c %s blob)" /dev/urandom >wrong; opts=device=$work/wrong; try D5 file "another file of its length" multi; finds D5 layer.dev.identity
cp multi untagged
# the tag is the first 64 bytes of the slot; without it nothing tells blobs apart
perl -e 'open F, "+<", "untagged"; binmode F; seek F, 1024 + 88, 0; read F, $b, 2; $at = unpack("v", $b) * 128; seek F, $at, 0; print F "\0" x 64;
	seek F, 1024 + 8, 0; read F, $c, 4; seek F, 1024 + 8, 0; print F pack("V", unpack("V", $c) & ~1)'
open=1; try D5 file "another file, and no tag" untagged; opts=device=$blob; try D5 file "its device, and no tag" untagged; open=
try D5t file "its device, vouched for" untagged --trust-devices
mkdir tm2; mount -t tmpfs tmpfs tm2; cp blob tm2/blob; opts=device=$work/tm2/blob; try D2 file "its device on tmpfs" multi; umount tm2
cp blob lower/blob; mount -t overlay -o lowerdir=lower:lower2 overlay ov
opts=device=$work/ov/blob; try D2 file "its device on overlayfs" multi; finds D2 layer.dev.unchecked-stack; umount ov; opts=
fallocate -d blob 2>/dev/null; opts=device=$blob; try D6r file "its device, with holes, by its digest" multi
cp multi flat; truncate -s %4096 flat; cat blob >>flat; opts=; try D7 file "device joined behind the image" flat
for n in 4096 8192 12288 1048576; do head -c $n /dev/zero >off; cat "$plain" >>off; opts=fsoffset=$n; try D9 file "at byte $n" off; done
for i in b512:512 b512:1536 b1024:1024 b2048:2048 b2048:6144 plain:512; do
	n=${i#*:}; head -c $n /dev/zero >off; cat "${i%:*}" >>off; opts=fsoffset=$n; try D10 file "${i%:*} at byte $n" off
	opts=; offset=$n; try D10l loop "${i%:*} at byte $n" off --offset=$n; offset=
done
opts=fsoffset=-4096; try D11 file "a negative offset" off
for o in offset=0 loop inode_share fsoffset=4K bogus dax=sometimes cache_strategy=x user_xattr=1; do opts=$o; try D12 file "option $o" "$plain"; done
for o in fsid=x domain_id=x nodirectio dax=always dax=never acl noacl user_xattr nouser_xattr cache_strategy=readahead cache_strategy=disabled; do
	opts=$o want=; [ $o = nouser_xattr ] && want=t.sum; try D12s file "option $o" "$plain"; done
opts=loop said=$(verdict loop "$plain"); check "D12l a loop device takes the option loop" [ "$said" = go ]
opts=

# ---- E, F: dirty pages, listeners ----

head -c 8M /dev/urandom >t2.data; mkdir t2; mv t2.data t2/data; sum t2 >t2.sum; $mkfs --quiet big.src t2
want=t2.sum; cat big.src >ext4/big; opts=directio; try E2 file "written just now, directio" ext4/big; finds E2 layer.io.dio-dirty
sync ext4/big; try E2s file "synced, directio" ext4/big; lacks E2s layer.io.dio-dirty; opts=
$fsck --preflight --json ext4/big >report.E0; finds E0 layer.io.double-cache
$fsck --preflight --mount-opts=directio --json ext4/big >report.E1; lacks E1 layer.io.double-cache; want=
listen() { rm -f heard; $tools/fanlisten $1 "$2" >heard 2>/dev/null & listener=$!; n=0; while [ ! -s heard ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done; [ -s heard ]; }
stop_listening() { kill $listener; wait $listener 2>/dev/null; heard=$(tail -n 1 heard); } # in this shell: only it can wait
cp "$plain" ext4/guarded; sync -f ext4
if listen pre ext4/guarded; then
	try F1 file "a pre-content listener that allows" ext4/guarded; finds F1 layer.kernel.precontent-bypass; try F5 loop "a pre-content listener" ext4/guarded
	stop_listening; echo 3 >/proc/sys/vm/drop_caches; listen pre ext4/guarded
	$mountimg ext4/guarded er; ls -lR er/deep >/dev/null; umount er; stop_listening
	newer=$(printf '%s\n7.1\n' "$(uname -r)" | sort -V | head -n 1)
	[ "$newer" = 7.1 ] || check "F1 and it was not asked about a mount and its inodes: $heard" [ "$heard" = "0 events" ]
	echo 3 >/proc/sys/vm/drop_caches; listen pre ext4/guarded; $mountimg ext4/guarded er; cat er/random >/dev/null; umount er; stop_listening
	check "F2 but about data: $heard" [ "$heard" != "0 events" ]
else skip "this kernel has no pre-content events of fanotify" "F1, F2"; fi
for k in access open; do
	listen $k ext4/guarded && { try F4 file "a listener on $k that allows" ext4/guarded; finds F4 layer.file.guarded; stop_listening; }
done
try F4 file "nobody listens" ext4/guarded; lacks F4 layer.file.guarded; lacks F4 layer.kernel.precontent

# ---- G: privilege, and what stands above ----

chmod 755 "$work"; chmod 644 "$plain"; chmod 777 "$mnt"
if command -v setpriv >/dev/null; then
	as_user="setpriv --reuid 65534 --regid 65534 --clear-groups"; if $as_user test -x "$fsck"; then
		try G1 file "as nobody" "$plain"; finds G1 layer.priv.userns
		as_user="unshare -Ur"; try G1 file "root of a new user namespace" "$plain"
		cp "$plain" private; chown 1000 private; chmod 600 private
		cat >drop <<-'END'
		#!/bin/sh
		exec setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search "$@"
		END
		chmod 755 drop; as_user=$work/drop
		try G2 file "a private file, without the right to override" private; finds G2 layer.priv.dac
		chmod 644 private; try G2r file "readable by all" private
	else skip "another user may not run what was built here" "G1, G2"; fi
	as_user=
else skip "setpriv is not installed" "G1, G2"; fi
try G1r file "as root" "$plain"
mkdir l o1 o2 o3; $mountimg "$plain" er; depth=0
mount -t overlay -o lowerdir=er:l overlay o1 && depth=1 && mount -t overlay -o lowerdir=o1:l overlay o2 && depth=2 && mount -t overlay -o lowerdir=o2:l overlay o3 2>/dev/null && depth=3
for n in 1 2 3; do
	said=$(verdict file "$plain" --overlays=$n); [ $n -le $depth ] && did=go || did=no-go
	printf '%-6s %-6s %-52s %-17s %s\n' G5 file "$n overlays above" "$said" "$did" >>"$matrix"
	check "G5 $n overlays above: $said, $did" [ "$said" = $did ]
done
for m in o3 o2 o1; do umount $m 2>/dev/null; done
check "G5m all layers as one overlay's" mount -t overlay -o lowerdir=er:l:o2:o3 overlay o1; umount o1; umount er

# ---- J: FUSE ----

if [ -c /dev/fuse ]; then
	mkdir fu
	for mode in normal direct keep short error passthrough; do
		$tools/fusefs $mode "$plain" fu >served 2>/dev/null & server=$!
		n=0; while [ ! -s served ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done
		case $mode in
		short | error) # it lies about what it can read: nothing but reading shows that
			said=$(verdict file fu/image); cp report report.J3; finds J3 layer.backing.fuse ;;
		passthrough) try J2 file "FUSE that passes through" fu/image; finds J2 layer.backing.fuse-passthrough; try J2l loop "FUSE that passes through" fu/image
			$fsck --preflight --probe fu/image >report.J2p 2>&1; finds J2p ENOTBLK ;;
		*) all_ways J1 "FUSE, $mode" fu/image ;;
		esac
		umount fu; wait $server 2>/dev/null; rm -f served
	done
	try J1c file "a copy on a disk" "$plain"; lacks J1c layer.backing.fuse
else skip "there is no /dev/fuse" "J1, J2"; fi

# ---- L: direct I/O on large sectors ----

truncate -s 320M big.disk
if dev=$(losetup -b 4096 -f --show big.disk 2>/dev/null); then
	mkdir sectors
	for fs in ext4 xfs; do
		mkfs.$fs -q $([ $fs = ext4 ] && echo -F || echo -f) "$dev" 2>/dev/null && mount "$dev" sectors || { skip "no mkfs.$fs" "L $fs"; continue; }
		for i in b512 b1024 b2048 plain lz4 b512z; do
			cp $i sectors/$i; sync -f sectors
			opts=directio; try L1 file "$i, sectors of 4096 bytes, $fs, directio" sectors/$i; opts=; try L3 file "$i, sectors of 4096 bytes, $fs" sectors/$i
		done
		check "L5 loop devices with direct I/O: no-go for blocks of 512" sh -c "$fsck --preflight --json sectors/b512 | jq -e '.advice[] | select(.way == \"loop, direct I/O\") | .verdict == \"no-go\"'"
		opts=directio; try L4 file "plain, sectors of 4096 bytes, $fs, directio" sectors/plain; opts=
		umount sectors
	done
	losetup -d "$dev"
else skip "no loop device with sectors of 4096 bytes" "L"; fi

# ---- N: headers and features ----

# patch FILE OFFSET HEX…: the superblock changes, its checksum is switched off
patch() {
	cp "$1" patched; shift
	perl -e 'open F, "+<", "patched"; binmode F; seek F, 1024 + 8, 0; read F, $c, 4; seek F, 1024 + 8, 0; print F pack("V", unpack("V", $c) & ~1);
		while (@ARGV) { ($o, $h) = splice @ARGV, 0, 2; seek F, 1024 + $o, 0; print F pack("H*", $h); }' "$@"
}
n=0
for o in "-b512" "-b1024" "-b2048" "-b4096" "-b512 -zlz4" "-b1024 -zlz4hc" "-zlz4" "-zlz4hc -C65536" "-zlzma" "-zdeflate" "-zzstd" "-zlz4hc:lzma:zstd:deflate" \
	"-zlz4 -Elegacy-compress" "-zlz4 -Eztailpacking" "-zlz4 -Efragments" "-zzstd -Eall-fragments" "--chunksize=4096" "--chunksize=65536 -Eforce-chunk-indexes" "-E48bit" \
	"-E48bit,dot-omitted" "--extent-size=131072 -zzstd" "--extent-size=131072 -zlz4" "-Exattr-name-filter" "-Eforce-inode-extended" "-Enosbcrc" "--preset=fast" "--preset=live"; do
	$mkfs --quiet -d0 $o image t 2>/dev/null || { skip "mkfs.erofs $o: $($mkfs --quiet $o image t 2>&1 | tail -n 1)" "N1 $o"; continue; }
	try N1 file "$o" image; try N1 loop "$o" image
done
for v in 0d 10 08 00; do patch "$plain" 12 $v; try N2 file "block size bits 0x$v" patched; done
patch "$plain" 81 02; try N3 file "an unknown incompatible feature" patched; finds N3 layer.image.incompat
patch "$plain" 8 00010000; try N3 file "an unknown compatible feature" patched
patch "$plain" 80 03000000 84 1000; try N4 file "an unknown algorithm" patched; finds N4 layer.image.algorithm
patch "$plain" 90 01; try N4 file "directory blocks of another size" patched
cp "$plain" patched; printf x | dd of=patched bs=1 seek=1030 conv=notrunc 2>/dev/null; try N5 file "a wrong checksum" patched; try N5 loop "a wrong checksum" patched
gzip -c "$plain" >packed; try N5 file "gzip over it" packed; gzip -dc packed >unpacked; try N5r file "unpacked" unpacked
try N5 file "an empty file" nothing; try N5 file "random bytes" t/random; try N5 loop "random bytes" t/random
# ---- T: tools ----
$fsck --preflight --json "$plain" >report.T1
if [ "$($fsck --preflight --save-facts=- "$plain" 2>/dev/null | jq -r .kernel.mounter)" = mount ]; then lacks T1 layer.tool.silent-loop; else finds T1 layer.tool.silent-loop; fi

umount ext4
cases=$(($(wc -l <"$matrix") - 1))
sed 's/^/# /' "$matrix"
echo "# $cases cases, $disagreements disagreements, $undecided that nothing but a digest decides"
if [ -n "${ERO_MATRIX:-}" ]; then cp "$matrix" "$ERO_MATRIX"; fi
check "no verdict disagrees with the kernel" [ "$disagreements" -eq 0 ]
check "at least 120 cases were made" [ "$cases" -ge 120 ]
finish
