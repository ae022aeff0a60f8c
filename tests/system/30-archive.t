# Archives as sources: what tar itself would extract is what the image holds.
. "$(dirname "$0")/lib.sh"
t=$work/t; mkdir -p "$t/sub/deep"; cd "$t" || exit 1
echo one >a; echo two >sub/b; ln a sub/hard; ln -s ../a sub/link; mkfifo pipe
touch -d '2020-02-02 02:02:02.123456789 UTC' a; touch -d '2001-01-01 UTC' sub/deep
head -c 100000 /dev/urandom >sub/random; printf 'n%.0s' $(seq 200) >"$(printf 'l%.0s' $(seq 200))"
truncate -s 1M sparse; printf data | dd of=sparse bs=1 seek=500000 conv=notrunc 2>/dev/null
if is_root; then chown 1234567:7654321 a; mknod dev c 5 1; setfattr -n user.x -v y sub/b; setfacl -m u:12345:rwx sub/random; setcap cap_net_raw+ep sub/b; fi
touch -d '2020-01-01 UTC' . sub
cd "$work" || exit 1
$treesum -d "$t" >t.sum
img=$work/i.erofs
compare() { # NAME SUM
	check "$1: clean" $fsck -d1 --extract "$img"
	if can_mount; then check "$1: same tree" mounted_equals "$img" "$2"; else skip "$why_not" "$1: same tree"; fi
}
pax="--xattrs --xattrs-include=* --acls"
tar --format=pax --sparse $pax -C "$t" -cf t.tar .
check "pax, from a file" $mkfs --quiet --tar=f "$img" t.tar
compare "pax" t.sum
$mkfs --quiet --tar=f -T0 -U clear a.erofs t.tar
check "from standard input" sh -c "$mkfs --quiet --tar=f -T0 -U clear b.erofs <t.tar"
same "makes the same image" a.erofs b.erofs
for z in gzip xz zstd; do
	command -v $z >/dev/null || { skip "no $z here" "$z"; continue; }
	$z -c t.tar >t.tar.z
	check "$z" sh -c "$mkfs --quiet --tar=f -T0 -U clear b.erofs <t.tar.z && cmp a.erofs b.erofs"
done
for format in gnu ustar v7; do
	mkdir -p x; rm -rf x; mkdir x
	(cd "$t" && tar --format=$format --exclude='./l*' --exclude=./dev -cf "$work/f.tar" ./sub ./pipe 2>/dev/null)
	tar -C x -xpf f.tar
	touch -d@1000 x; chmod 755 x; $treesum -d -x x >x.sum
	check "$format" $mkfs --quiet -x-1 --tar=f -T1000 --mkfs-time "$img" f.tar
	compare "$format" x.sum
done
# containerd's layers
mkdir l; echo x >l/keep; : >l/.wh.gone; mkdir l/opaque; : >l/opaque/.wh..wh..opq; : >l/.wh..wh.plnk
tar -C l -cf l.tar .
check "containerd's command line" sh -c "$mkfs --tar=f --aufs --quiet -Enoinline_data -U 12345678-1234-1234-1234-123456789abc $img <l.tar"
check "a whiteout is a 0:0 device" sh -c "$dump --path=/gone --json $img | grep -q '\"major\": 0'"
check "an opaque directory says so" sh -c "$dump --path=/opaque $img | grep -q trusted.overlay.opaque"
check "AUFS' own files are left out" sh -c "! $dump --path=/ --ls $img | grep -q '\.wh\.'"
# formats that tell content late
if command -v cpio >/dev/null; then
	(cd t && printf 'a\nsub/hard\n' | cpio -o -H newc --quiet) >c.cpio
	check "cpio: hard links keep their content" sh -c "$mkfs --quiet --tar=f $img c.cpio && test \"\$($dump --cat --path=/a $img)\" = one && $dump --path=/a $img | grep -q 'Links: 2'"
else skip "no cpio here" "cpio: hard links keep their content"; fi
if command -v zip >/dev/null; then
	(cd t && echo streamed | zip -q - - ) >z.zip
	check "zip: sizes told behind the content" sh -c "$mkfs --quiet --tar=f $img <z.zip && test \"\$($dump --cat --path=/- $img)\" = streamed"
else skip "no zip here" "zip: sizes told behind the content"; fi
# replaced members, and names that go nowhere
mkdir r; echo first >r/f; tar -C r -cf r.tar f; echo second longer >r/f; tar -C r -rf r.tar f
$mkfs --quiet --tar=f "$img" r.tar
check "the last member of a name wins" sh -c "test \"\$($dump --cat --path=/f $img)\" = 'second longer'"
tar -C r -cPf evil.tar --transform='s,^f,../../f,' f
fails 1 'outside' "a member with .. is refused" $mkfs --quiet --tar=f "$img" evil.tar
mkdir -p v/real; echo x >v/real/f; ln -s real v/ln; tar -C v -cf v.tar real ln; tar -C v -rf v.tar --transform='s,real/f,ln/g,' real/f
fails 1 'symbolic link' "a member below a link is refused, and the link not lost" $mkfs --quiet --tar=f "$img" v.tar
head -c 100 /dev/urandom >junk
fails 1 'junk' "what is no archive is refused" $mkfs --quiet --tar=f "$img" junk
head -c 70000 t.tar >cut.tar
fails 1 'cut.tar' "an archive cut short is refused" $mkfs --quiet --tar=f new.erofs cut.tar
check "and leaves no image" test ! -e new.erofs
tar -cf empty.tar -T /dev/null
check "an empty archive makes an empty image" sh -c "$mkfs --quiet --tar=f $img empty.tar && $fsck -d1 $img"
finish
