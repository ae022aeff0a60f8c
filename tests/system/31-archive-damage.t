# An archive is what it says, or it is refused: exit code 1, one sentence that names it, no image.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export PYTHONPATH=$ERO_SOURCE/tests/system PYTHONDONTWRITEBYTECODE=1
command -v python3 >/dev/null || { skip "there is no python3" "all of it"; finish; exit 0; }
make() { rm -f t.tar t.tar.* t.zip i.erofs; python3 -c "from mkinput import *
$1"; }
refused() { # PATTERN NAME [OPTION…]: t.tar, or $archive
	pattern=$1 name=$2; shift 2
	fails 1 "${archive:-t.tar}.*($pattern)" "$name" $mkfs --quiet --tar=f "$@" i.erofs "${archive:-t.tar}"
	[ ! -e i.erofs ] || ok 1 "$name: it leaves an image"
}
taken() { # NAME WANT COMMAND: what the mounted tree says
	if ! $mkfs --quiet --tar=f ${aufs:+--aufs} i.erofs t.tar 2>why; then ok 1 "$1"; return; fi
	if ! can_mount; then skip "$why_not" "$1"; return; fi
	$mountimg i.erofs "$mnt"; got=$(cd "$mnt" && eval "$3" 2>&1); umount "$mnt"
	[ "$got" = "$2" ] || echo "wanted \"$2\", got \"$got\"" >why
	check "$1" test "$got" = "$2"
}

# every run costs more under sanitizers; there, fewer places
flips=${sanitized:+6} flips=${flips:-40} cuts=${sanitized:+4} cuts=${cuts:-20}

# ---- containers
for at in 0 100 124 148 156 257; do
	make "tar('t.tar', ('d', '.'), ('f', 'f1', b'1'), ('f', 'f2', b'2'), ('f', 'f3', b'3')); change('t.tar', 1536 + $at)"
	refused 'checksum|damaged' "a header damaged at byte $at"
done
text="b''.join(b'line %d of some text\\n' % i for i in range(9000))"
for z in gzip xz zstd bzip2 lz4 lzip; do
	command -v $z >/dev/null || { skip "there is no $z" "$z"; continue; }
	make "tar('t.tar', ('f', 'f', ${text}))"; $z -c t.tar >t.tar.z
	$mkfs --quiet --tar=f -T0 -U clear plain.erofs t.tar
	check "$z: whole, it gives the same image" sh -c "$mkfs --quiet --tar=f -T0 -U clear z.erofs t.tar.z && cmp plain.erofs z.erofs"
	cat t.tar.z t.tar.z >two.z # the second is read for its checksum
	size=$(stat -c %s t.tar.z); bad=0
	for at in $(seq $((size / flips + 12)) $((size / flips + 1)) $((size - 12))); do
		cp t.tar.z d.z; python3 -c "from mkinput import *; change('d.z', $at, None)"
		$mkfs --quiet --tar=f -T0 -U clear d.erofs d.z 2>e; code=$?
		[ $code -eq 1 ] && [ ! -e d.erofs ] && [ "$(wc -l <e)" -eq 1 ] || { bad=$((bad + 1)); echo "byte $at: exit $code, $(cat e)" >>why; rm -f d.erofs; }
	done
	ok $bad "$z: damaged at any of $flips places, it is refused"
	bad=0
	for at in $(seq 30 $((size / cuts + 1)) $((size - 1))) $((size - 1)); do
		head -c $at t.tar.z >d.z; $mkfs --quiet --tar=f d.erofs d.z 2>e; code=$?
		[ $code -eq 1 ] && [ ! -e d.erofs ] || { bad=$((bad + 1)); echo "cut at $at: exit $code" >>why; rm -f d.erofs; }
	done
	ok $bad "$z: cut off anywhere, it is refused"
done
make "tar('t.tar', ('f', 'f', b'A' * 2000)); d = open('t.tar', 'rb').read()
c = zlib.compressobj(0, 8, 31); write('t.tar.gz', c.compress(d), c.flush())
change('t.tar.gz', open('t.tar.gz', 'rb').read().find(b'AAAA'), 66)"
archive=t.tar.gz refused 'gzip' "gzip whose data are stored, and changed"
make "tar('t.tar', ('f', 'f', b'A' * 2000)); d = open('t.tar', 'rb').read()
write('t.tar.gz', *[zlib.compressobj(9, 8, 31).compress(b'') for i in ()], b''.join(c.compress(p) + c.flush() for c, p in ((zlib.compressobj(9, 8, 31), d[:700]), (zlib.compressobj(9, 8, 31), d[700:]))), bytes(100))"
cp t.tar.gz t.tar; taken "gzip of two members, and zeros behind" 2000 'stat -c %s f'
make "z = zipfile.ZipFile('t.zip', 'w'); z.writestr('f', 'A' * 2000); z.close(); change('t.zip', open('t.zip', 'rb').read().find(b'AAAA'), 66)"
archive=t.zip refused 'CRC' "zip: content that does not fit its CRC"
make "z = zipfile.ZipFile('t.zip', 'w'); i = zipfile.ZipInfo('f'); i.external_attr = 0o100750 << 16; z.writestr(i, 'x'); z.close()"
check "zip from a pipe: modes are those of its directory" sh -c "cat t.zip | $mkfs --quiet --tar=f p.erofs && $dump --path=/f p.erofs | grep -q 'Access: 0750'"
head -c -1 t.zip >cut.zip; archive=cut.zip refused '' "zip without the end of its directory"
if command -v cpio >/dev/null; then
	echo content of a file >f; echo f | cpio -o -H crc --quiet >c.cpio 2>/dev/null
	check "cpio with checksums" sh -c "$mkfs --quiet --tar=f c.erofs c.cpio && test \"\$($dump --cat --path=/f c.erofs)\" = 'content of a file'"
	python3 -c "from mkinput import *; change('c.cpio', open('c.cpio', 'rb').read().find(b'content'))"
	archive=c.cpio refused 'checksum' "cpio: content that does not fit its checksum"
	echo f | cpio -o -H newc --quiet >c.cpio; cat c.cpio c.cpio >two.cpio
	archive=two.cpio refused 'follows the end' "cpio: a second archive behind the first"
else skip "there is no cpio" "cpio"; fi

# ---- what follows the end, or comes without one
make "tar('t.tar', ('f', 'f', b'1'))"; (cat t.tar; head -c 4000000 /dev/zero) >pad.tar
check "zeros behind the end are read from the pipe" bash -c "set -o pipefail; cat pad.tar | $mkfs --quiet --tar=f i.erofs"
rm -f i.erofs
make "write('t.tar', header(b'a'), bytes(512), header(b'b'), END)"
refused 'among the members' "members behind one block of zeros"
make "write('t.tar', header(b'a'), END, header(b'b'), END)"
refused 'among the members' "members behind the end"
make "write('t.tar', bytes(2048), b'no archive' * 1000)"
refused 'no member' "zeros and then something else"
make "write('t.tar', header(b'a'))"
check "an archive without an end is warned of" sh -c "$mkfs --quiet --tar=f i.erofs t.tar 2>&1 | grep -q 'cut off'"

# ---- members
rm -f i.erofs
for name in file/ ./ .; do make "write('t.tar', header(b'$name', 3), padded(b'abc'), END)"; refused 'directory' "a regular member named $name with content"; done
make "write('t.tar', header(b'd/', 0, b'\\0'), END)"; taken "an old directory: a name that ends with /, without content" directory 'stat -c %F d'
for kind in 1 2 3 6; do make "write('t.tar', header(b'x/', 0, b'$kind', link=(157, b'y')), END)"; refused '' "type $kind with a name that ends with /"; done
make "write('t.tar', header(b'x', 0, b'Z'), END)"; refused 'not known' "a type that is not known"
make "write('t.tar', header(b'x', 0, b'3', a=(329, b'0010000\\0')), END)"; refused 'device' "a major device number of 4096"
make "write('t.tar', header(b'x', 0, b'3', a=(337, b'4000000\\0')), END)"; refused 'device' "a minor device number of 2^20"
for field in 100 108 116 136; do make "write('t.tar', header(b'first'), header(b'x', a=($field, b'00x0\\0')), END)"; refused '00x0' "a number at byte $field of a header that is none"; done
make "write('t.tar', header(b'x', a=(136, bytes([0x80] + [0] * 3 + [0x80] + [0] * 7))), END)"; refused '64 bits' "a time of more than 64 bits"
make "write('t.tar', header(b'f'), header(b'f/x'), END)"; refused 'no directory' "a member below a file"
make "write('t.tar', header(b'f/x'), header(b'f'), END)"; refused 'not empty' "a file in place of a directory that is not empty"
make "tar('t.tar', ('d', 'usr'), ('d', 'usr/lib'), ('l', 'lib', 'usr/lib'), ('f', 'lib/x', b'1'))"; refused 'lib/x.*symbolic link' "a member below a link, by its name"
make "tar('t.tar', ('h', 'a', 'b'))"; refused 'before it' "a hard link to nothing"
make "write('t.tar', header(b'', 0), END)"; refused 'no name' "a member without a name"

# ---- pax records
record() { # RECORDS PATTERN NAME
	make "write('t.tar', extended($1), header(b'f'), END)"; refused "$2" "$3"
}
for t in abc 1e3 5x ' 5' +5 5. . -; do [ "$t" = 5. ] || record "(b'mtime', b'$t')" 'time' "a time of \"$t\""; done
record "(b'mtime', b'99999999999999999999')" time "a time that is too large"
for n in abc 5x -1 4294967295 99999999999999999999; do record "(b'uid', b'$n')" "owner" "an owner \"$n\""; record "(b'gid', b'$n')" group "a group \"$n\""; done
record "(b'path', b'a\\0b')" NUL "a path with a NUL"
record "(b'SCHILY.acl.access', b'user::rwx,group::zzz,nonsense')" ACL "an ACL that is none"
record "(b'SCHILY.acl.access', b'user::rw-,user:5:rwx,user:5:r--,group::r--,mask::rwx,other::r--')" ACL "an ACL with an entry twice"
record "(b'SCHILY.acl.default', b'user::rw-,group::r--,other::r--')" ACL "a default ACL of a file"
record "(b'SCHILY.xattr.system.posix_acl_access', b'xx')" ACL "an ACL in binary that is none"
record "(b'LIBARCHIVE.xattr.user.a', b'!!!')" xattr "an xattr in base 64 that is none"
record "(b'SCHILY.xattr.', b'x')" xattr "an xattr without a name"
record "(b'GNU.sparse.map', b'0,3'), (b'GNU.sparse.size', b'9'), (b'GNU.sparse.numblocks', b'2')" blocks "a map of fewer blocks than it says"
make "write('t.tar', extended((b'GNU.sparse.map', b'0,8'), (b'GNU.sparse.size', b'20'), (b'GNU.sparse.numblocks', b'1')), header(b'f', 5), padded(b'abcde'), END)"
refused 'by its map' "a map of more data than there are"
make "write('t.tar', extended((b'SCHILY.realsize', b'1000')), header(b'f', 5), padded(b'abcde'), END)"; refused 'by its map' "a real size without a map"
make "write('t.tar', header(b'x', 6, b'x'), padded(b'9 a=b\\n'), header(b'f'), END)"; refused 'malformed|length' "a record longer than its header"
make "write('t.tar', extended((b'path', b'x'), kind=b'g'), header(b'f'), END)"; refused 'global header' "a path for all members"
make "tar('t.tar', ('f', 'neg', b'', {'mtime': '-10.25'}), ('f', 'far', b'', {'mtime': '99999999999.000000001'}), ('f', 'exact', b'', {'mtime': '-0.0000000001'}))"
taken "times before 1970 and far ahead, to the nanosecond" "-10.250000000 99999999999.000000001 -0.000000001" 'echo $(stat -c %.9Y neg far exact)'
make "tar('t.tar', ('f', 'f', b'', {'uid': '4294967294', 'gid': '4294967294'}))"; taken "the largest ids" 4294967294:4294967294 'stat -c %u:%g f'
make "tar('t.tar', ('f', 'f', b'', {'mtime': '7'}), ('f', 'g'), everywhere={'mtime': '5000.5', 'uid': '4242', 'SCHILY.xattr.user.g': 'v'})"
taken "global records hold where a member has none of its own" "7 4242 5000 v" 'echo $(stat -c "%Y %u" f) $(stat -c %Y g) $(getfattr -n user.g --only-values g)'
make "write('t.tar', extended((b'SCHILY.xattr.user.a%3Db', b'1'), (b'SCHILY.xattr.user.c%25d', b'2')), header(b'f'), END)"
taken "names of xattrs as GNU tar writes them" "user.a=b user.c%d" 'echo $(getfattr -m- f | grep user | LC_ALL=C sort)'
make "write('t.tar', extended((b'path', b'caf\\xc3\\xa9'), ), header(b'x'), extended((b'path', b'raw\\xff')), header(b'y'), END)"
taken "names in UTF-8, and of any bytes" 'caf\303\251 raw\377' 'LC_ALL=C ls -b | tr "\n" " " | sed "s/ $//"'

# ---- layers: markers speak of those below, wherever they stand
aufs=1
for n in .wh. .wh.. .wh...; do make "tar('t.tar', ('d', 'd'), ('f', 'd/x', b'1'), ('f', 'd/$n'))"; refused 'whiteout' "a whiteout named $n" --aufs; done
make "tar('t.tar', ('d', 'd'), ('d', 'd/.wh.x'))"; refused 'whiteout' "a whiteout that is a folder" --aufs
make "tar('t.tar', ('f', 'd/.wh.x/y', b'1'))"; refused 'whiteout' "a member below a whiteout" --aufs
make "tar('t.tar', ('d', '.wh..wh.plnk'), ('f', '.wh..wh.plnk/12.3', b'linked'), ('h', 'y', '.wh..wh.plnk/12.3'))"
taken "what AUFS keeps for itself is left out, but for links to it" "linked y" 'echo $(cat y) $(ls -A)'
layers() { # NAME WANT MEMBERS-OF-THE-UPPER-LAYER: the lower one has a1/old and k
	rm -f ./*.erofs; make "tar('t.tar', ('d', 'a1'), ('f', 'a1/old', b'old'), ('f', 'k', b'low')); tar('up.tar', $3)"
	$mkfs --quiet --aufs --tar=f low.erofs t.tar && $mkfs --quiet --aufs --tar=f up.erofs up.tar 2>why || { ok 1 "$1"; return; }
	if ! can_mount || ! grep -q overlay /proc/filesystems; then skip "no mount of EROFS, or no overlayfs" "$1"; return; fi
	mkdir -p low up both; $mountimg low.erofs low; $mountimg up.erofs up
	mount -t overlay o -o ro,lowerdir=up:low both 2>why; got=$(cd both && find . -type f | LC_ALL=C sort | tr '\n' ' '); umount both up low
	[ "$got" = "$2" ] || echo "wanted \"$2\", got \"$got\"" >why
	check "$1" test "$got" = "$2"
}
layers "a directory that is deleted and made again" "./a1/new ./k " "('f', '.wh.a1'), ('d', 'a1'), ('f', 'a1/new', b'new')"
layers "the same in the other order" "./a1/new ./k " "('d', 'a1'), ('f', 'a1/new', b'new'), ('f', '.wh.a1')"
layers "without the directory itself" "./a1/new ./k " "('f', '.wh.a1'), ('f', 'a1/new', b'new')"
layers "a file that is made and deleted" "./a1/old ./k " "('f', 'k', b'fresh'), ('f', '.wh.k')"
layers "a file that is deleted" "./a1/old " "('f', '.wh.k')"
layers "an opaque directory" "./a1/new ./k " "('f', 'a1/.wh..wh..opq'), ('f', 'a1/new', b'')"
rm -f ./*.erofs; make "tar('t.tar', ('f', '.wh..wh..opq'), ('f', 'new', b''))"
check "an opaque root" sh -c "$mkfs --quiet --aufs --tar=f i.erofs t.tar && $dump --path=/ i.erofs | grep -q trusted.overlay.opaque"
finish
