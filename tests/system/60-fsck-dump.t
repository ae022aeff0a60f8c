# What the checker finds, and what the dumper shows.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
mkdir -p t/sub; echo hello >t/a; ln t/a t/sub/hard; perl -e 'srand 5; print join(" ", map { int rand 1000 } 1..40000)' >t/b; ln -s a t/link; img=$work/i.erofs
$mkfs --quiet -zlz4 -T0 -U clear $img t
poke() { # OFFSET HEXBYTES: a copy with some bytes changed
	cp $img m.erofs; poke_more "$@"
}
poke_more() { # the same in that copy
	perl -e 'print pack "H*", $ARGV[0]' "$2" | dd of=m.erofs bs=1 seek=$1 conv=notrunc 2>/dev/null
}
finds() { # ID NAME
	$fsck --no-sbcrc --json --extract m.erofs >why 2>&1; code=$?
	[ $code -eq 4 ] && jq -e --arg id "$1" '.exit_code == 4 and ([.findings[].id] | index($id) != null)' why >/dev/null
	ok $? "$2"
}
nid() { $dump --json --path=$1 $img | jq .nid; }
check "a good image is clean" $fsck -d1 --extract $img
check "quietly" sh -c "test -z \"\$($fsck -d1 $img)\""
check "-a -A -n -y are accepted" $fsck -d1 -a -A -n -y $img
check "-p prints the ratio" sh -c "$fsck -p $img | grep -q 'Compression ratio'"
poke 1030 ff; check "a wrong superblock checksum is exit 4" sh -c "$fsck m.erofs 2>why; test \$? -eq 4 && grep -q super.checksum why"
root=$(( $(nid /) * 32 )); a=$(( $(nid /a) * 32 )); b=$(( $(nid /b) * 32 )); sub=$(( $(nid /sub) * 32 ))
poke $((root + 32)) 0000000000000000; finds dir.dot "a wrong \".\""
poke $((sub + 44)) ffff; finds dir.dotdot "a wrong \"..\""
poke $((a + 6)) 0500; finds inode.nlink "a wrong link count"
poke $((root + 6)) 0900; finds dir.nlink "a wrong link count of a directory"
poke $((a + 4)) ff0f; finds inode.damaged "a mode that is no file type"
poke $((b + 8)) 00ffff00; finds extent.map "a size its extents do not cover"
poke $((root + 42)) 01; finds dir.type "a type that is not the inode's"
data=$($dump --json -e --path=/b $img | jq '.extents[0].physical + 3000')
poke $data $(printf 'ff%.0s' $(seq 300)); finds data.damaged "data that does not decode"
check "findings have path, nid, expected and found" sh -c "cp $img m.erofs; printf '\\005' | dd of=m.erofs bs=1 seek=$((root + 6)) conv=notrunc 2>/dev/null; $fsck --no-sbcrc --json m.erofs | jq -e '.findings[] | select(.id == \"dir.nlink\") | .path == \"/\" and .expected == \"3\" and .found == \"5\" and .nid'"
check "several images, codes joined" sh -c "$fsck -d0 $img nowhere m.erofs --no-sbcrc 2>/dev/null; test \$? -eq 12"
check "--path checks a part" $fsck -d1 --extract --path=/sub $img
check "--nid checks a part" $fsck -d1 --extract --nid=$(nid /b) $img

# extraction
check "--extract=DIR" $fsck -d1 --extract=x $img
check "files are there" sh -c 'cmp t/b x/b && test "$(readlink x/link)" = a && test "$(stat -c %h x/a)" -eq 2'
check "a second time, files are in the way" sh -c "$fsck -d0 --extract=x $img 2>/dev/null; test \$? -eq 8"
check "--overwrite replaces them" $fsck -d1 --overwrite --extract=x $img
check "one file by path" sh -c "$fsck -d1 --path=/b --extract=onefile $img && cmp onefile t/b"
fails 16 'force' "extracting to / needs --force" $fsck --extract=/ $img
rm -rf x; mkdir x outside; ln -s ../outside x/sub
check "a link in the way is not followed" sh -c "$fsck -d0 --extract=x $img 2>/dev/null; test \$? -ne 0 && test -z \"\$(ls -A outside)\""
rm -rf x; check "--no-preserve applies the umask" sh -c "umask 077; $fsck -d1 --no-preserve --extract=x $img && test \"\$(stat -c %a x/a)\" = 600"
poke $((sub + 6)) 0900; poke_more $data $(printf 'ff%.0s' $(seq 300))
good=0
for i in 1 2 3 4 5 6 7 8; do
	rm -rf x; $fsck --no-sbcrc --json --extract=x m.erofs >out 2>/dev/null
	[ $? -eq 4 ] && jq -e '[.findings[].id] == ["super.checksum", "dir.nlink", "data.damaged"]' out >/dev/null && good=$((good + 1))
done
check "what the check finds comes before what the extraction finds" test $good -eq 8
check "and all the rest is extracted" sh -c 'cmp t/a x/a && test -L x/link && test x/sub/hard -ef x/a'

# directories are entered where they are met, but those that are very deep, or below encoded ones, later
mkdir deep; at=deep; for i in $(seq 80); do : >$at/a$i; echo $i >$at/z; mkdir $at/d $at/e; echo e >$at/e/f; at=$at/d; done
for i in $(seq 400); do mkdir "deep/with-a-long-name-so-that-there-are-blocks-$i"; echo $i >"deep/with-a-long-name-so-that-there-are-blocks-$i/f"; done
for form in "" "-zlz4 --zD" "--preset=dense --zD"; do
	rm -rf x; $mkfs --quiet $form deep.erofs deep
	check "a deep tree with \"$form\"" sh -c "$fsck -d1 --extract=x deep.erofs && diff -r deep x"
done

# dump
check "-s" sh -c "$dump -s $img | grep -q 'Filesystem UUID: *00000000-0000-0000-0000-000000000000'"
check "-S" sh -c "$dump -S --json $img | jq -e '.types.regular == 2 and .types.symlinks == 1 and .types.directories == 2'"
check "--path -e" sh -c "$dump -e --path=/b --json $img | jq -e '([.extents[].length] | add) == .size'"
check "--cat" sh -c "$dump --cat --path=/b $img | cmp - t/b"
check "--ls" sh -c "$dump --ls --path=/ --json $img | jq -e '[.[].name] == [\".\", \"..\", \"a\", \"b\", \"link\", \"sub\"]'"
check "--nid" sh -c "$dump --nid=$(nid /a) $img | grep -q 'Links: 2'"
check "--blkid-udev" sh -c "$dump --blkid-udev $img | grep -qx ID_FS_TYPE=erofs"
check "names that are no UTF-8 survive JSON" sh -c "mkdir u; : >\"u/\$(printf 'a\\377')\"; $mkfs --quiet u.erofs u && $dump --ls --path=/ --json u.erofs | jq -e '.[2].name_hex == \"61ff\"'"

$mkfs --quiet -L "$(printf 'a\nB=c')" l.erofs t
check "a label cannot make lines of its own for udev" sh -c "! $dump --blkid-udev l.erofs | grep -q '^B=' && $dump --blkid-udev l.erofs | grep -qx 'ID_FS_LABEL_ENC=a.x0aB=c'"
check "nor a name for a terminal" sh -c "mkdir esc; : >\"esc/\$(printf 'e\033[2J')\"; $mkfs --quiet e.erofs esc; $dump --ls --path=/ e.erofs | grep -qF 'e\\x1b[2J'"

# few descriptors: as many files are in the making as there are
mkdir many; for i in $(seq 200); do head -c 60000 t/b | tr 0-9 "$((i % 10))-9a-z" >many/$i; done
$mkfs --quiet -zlzma many.erofs many
check "a tree is extracted with 40 descriptors" sh -c "ulimit -n 40; exec $fsck --extract=few many.erofs"
check "it is the tree" diff -r many few

# judging
check "--preflight says go on a disk file system" sh -c "$fsck --preflight --json --for-kernel=6.18 $img >why; jq -e '.verdict | test(\"go\")' why"
check "--preflight: an old kernel is a no-go" sh -c "$fsck --preflight --for-kernel=6.11 $img >why; test \$? -eq 4 && grep -q layer.kernel.no-filebacked why"
head -c $(( $(stat -c %s $img) - 4096 )) $img >short.erofs
check "--preflight: a short file is a no-go" sh -c "$fsck --preflight short.erofs >why; test \$? -eq 4 && grep -q layer.file.short why"
if is_root; then
	mkdir tm; mount -t tmpfs tmpfs tm; cp $img tm/
	check "--preflight: tmpfs is a no-go" sh -c "$fsck --preflight tm/i.erofs >why; test \$? -eq 4 && grep -q layer.backing.no-read-folio why"
	if can_mount; then check "and the kernel says the same" sh -c "! $mountimg tm/i.erofs $mnt"; else skip "$why_not" "and the kernel says the same"; fi
	umount tm
else skip "needs root to mount a tmpfs" "--preflight: tmpfs is a no-go"; fi
finish
