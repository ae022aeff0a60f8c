# Fingerprints of files, dm-verity and fs-verity of images, differences, and what can be saved of a damaged image.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
mkdir -p t/d; seq 1 20000 >t/a; cp t/a t/d/same; echo other >t/b; : >t/empty; truncate -s 200000 t/hole; ln -s a t/link; seq -f "a line of text with the number %.0f" 1 20000 >t/big
fixed="-T1000 -U clear"
set_byte() { perl -e 'print pack "H*", $ARGV[0]' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
extent() { $dump --json -e --path="$2" "$1" | jq ".extents[$3].physical"; }

# fingerprints
for form in "" "-zlz4 -C16384" "--preset=dense" "--preset=dense -m65536"; do
	for name in "" =trusted.some.name =user.x; do
		$mkfs --quiet $fixed $form --xattr-inode-digest$name f.img t
		check "fingerprints$name with \"$form\"" $fsck -d1 --xattr-inode-digest f.img
	done
done
check "they are the SHA-256 of content" sh -c "$mkfs --quiet $fixed --xattr-inode-digest=user.x f.img t && rm -rf x && $fsck -d1 --xattrs --extract=x f.img && test \"\$(getfattr --only-values -n user.x x/d/same | tail -c +8 | od -An -tx1 | tr -d ' \n')\" = \"\$(sha256sum <t/a | cut -d' ' -f1)\""
check "the empty file has none" sh -c "! getfattr -n user.x x/empty 2>/dev/null"
set_byte f.img $(extent f.img /big 0) ff
check "changed content is found" sh -c "$fsck --json --xattr-inode-digest f.img >out; test \$? -eq 4 && jq -e '[.findings[] | select(.id == \"digest.differs\" and .path == \"/big\")] | length == 1' out"
$mkfs --quiet $fixed f.img t
fails 8 'names no xattr' "an image without says so" $fsck -d1 --xattr-inode-digest f.img
check "files without are told" sh -c "$fsck --json --xattr-inode-digest=user.none f.img | jq -e '[.findings[].id] | index(\"digest.missing\")'"
check "an archive's files have them, too" sh -c "tar -cf t.tar -C t . && $mkfs --quiet $fixed --xattr-inode-digest --tar=f f.img t.tar && $fsck -d1 --xattr-inode-digest f.img"
if can_mount; then check "such an image mounts" sh -c "$mountimg f.img $mnt && cmp t/a $mnt/a && umount $mnt"; else skip "$why_not" "such an image mounts"; fi
if command -v fsck.erofs >/dev/null && fsck.erofs --help 2>&1 | grep -q xattr-inode-digest; then check "erofs-utils agrees" fsck.erofs --xattr-inode-digest f.img
else skip "the erofs-utils here compares no fingerprints" "erofs-utils agrees"; fi

# dm-verity
for salt in "" =- =00ff17; do
	$mkfs --quiet $fixed -zlz4 --json --verity$salt v.img t >summary
	root=$(jq -r .verity_root summary) offset=$(jq .verity_offset summary)
	check "a tree with salt \"$salt\" verifies" $fsck -d1 --root-hash=$root v.img
	if command -v veritysetup >/dev/null; then check "veritysetup agrees" veritysetup verify v.img v.img $root --hash-offset=$offset
	else skip "there is no veritysetup" "veritysetup agrees"; fi
done
$mkfs --quiet $fixed -zlz4 --verity --workers=1 v1.img t; $mkfs --quiet $fixed -zlz4 --verity --workers=8 v8.img t
same "equal builds have equal trees" v1.img v8.img
check "the root hash is told by a check" sh -c "$fsck --extract v1.img | grep -q 'dm-verity root hash [0-9a-f]\{64\}'"
cp v1.img v.img; set_byte v.img 3000 01; sum_at=$(od -An -tu4 -j1028 -N4 v.img)
check "a byte that nothing else looks at is found" sh -c "$fsck --no-sbcrc --json --extract v.img >out; test \$? -eq 4 && jq -e '.findings[] | select(.id == \"verity.damaged\") | .offset == 0' out"
cp v1.img v.img; set_byte v.img $((offset + 4096 + 9)) 01
check "so is one of the tree" sh -c "$fsck --json --extract v.img >out; test \$? -eq 4 && jq -e '[.findings[].id] | index(\"verity.damaged\")' out"
check "and another root hash" sh -c "$fsck -d0 --root-hash=00 v1.img; test \$? -eq 4"
fails 1 'hexadecimal' "a salt is hexadecimal" $mkfs --quiet --verity=xyz v.img t
$mkfs --quiet $fixed -zlz4 v.img t; check "an image without a tree has no root hash" sh -c "$fsck -d0 --root-hash=00 v.img; test \$? -eq 4"
mkdir one; echo x >one/x; $mkfs --quiet $fixed --verity - one >piped && $mkfs --quiet $fixed --verity file one; same "through a pipe" piped file
mkdir large; head -c 3000000 /dev/urandom >large/f; $mkfs --quiet --json --verity l.img large >summary # three levels
if command -v veritysetup >/dev/null; then check "a tree of several levels" veritysetup verify l.img l.img $(jq -r .verity_root summary) --hash-offset=$(jq .verity_offset summary)
else skip "there is no veritysetup" "a tree of several levels"; fi

# fs-verity
if $dump --verity-digest v.img >digest 2>why; then
	if command -v fsverity >/dev/null; then check "--verity-digest is fsverity's" sh -c "fsverity digest v.img | cmp - digest"; else skip "there is no fsverity" "--verity-digest is fsverity's"; fi
	check "in JSON, too" sh -c "$dump --verity-digest --json v.img | jq -e '.verity_digest | startswith(\"sha256:\")'"
else skip "built without libfsverity" "--verity-digest"; fi

# differences
$mkfs --quiet $fixed -zlz4 a.img t
check "an image is like itself" $dump --diff a.img a.img
cp -a t u; echo changed >u/b; chmod 600 u/a; rm u/empty; : >u/new; setfattr -n user.k -v v u/big; ln -sf b u/link; touch -d @5 u/hole; $mkfs --quiet $fixed -zlz4 b.img u
$dump --diff a.img b.img >out; code=$?
check "differences are exit code 1" test $code -eq 1
for line in '/b: size: 6 / 8' '/b: content: 6f at byte 0 / 63' '/a: mode: 100644 / 100600' '/empty: name: there / not there' '/new: name: not there / there' '/big: xattr: none / user.k' '/link: link target: a / b'; do
	check "told: $line" grep -qxF "$line" out
done
check "in JSON" sh -c "$dump --diff --json a.img b.img | jq -e '[.[] | select(.path == \"/a\" and .what == \"mode\")] | length == 1'"
$mkfs --quiet $fixed -zlz4hc b.img t; check "another way to store it" sh -c "$dump --diff a.img b.img | grep -q '^/big: stored: '"
fails 2 'cannot open' "what cannot be opened is exit code 2" $dump --diff a.img none.img

# salvage
$mkfs --quiet $fixed -zlz4 -C4096 s.img t
at=$(extent s.img /big 3); dd if=/dev/zero of=s.img bs=4096 count=1 seek=$((at / 4096)) conv=notrunc 2>/dev/null
rm -rf x; check "a damaged file is kept, and its loss listed" sh -c "$fsck --json --salvage=x s.img >out; test \$? -eq 4 && jq -e '[.findings[] | select(.id == \"data.damaged\" and .path == \"/big\")] | length == 1' out"
check "all others are whole" sh -c 'for f in a b d/same hole empty; do cmp t/$f x/$f || exit 1; done'
check "and of that one, what can be read" sh -c 'test $(stat -c %s x/big) = $(stat -c %s t/big) && test $(cmp -l t/big x/big | wc -l) -lt 100000 && ! cmp -s t/big x/big && cmp -n 4096 t/big x/big'
$mkfs --quiet $fixed --preset=dense --extent-size=1048576 s.img t; packed=$(od -An -tu8 -j1120 -N8 s.img | tr -d ' '); at=$($dump --json -e --nid=$packed s.img | jq '.extents[0] | .physical + .stored - 3000')
dd if=/dev/zero of=s.img bs=1 seek=$at count=1000 conv=notrunc 2>/dev/null; rm -rf x
check "of an extent of many files, those before the damage" sh -c "$fsck -d0 --salvage=x s.img; code=\$?; good=0; for f in a b big d/same; do cmp -s t/\$f x/\$f && good=\$((good + 1)); done; test \$code -eq 4 && test \$good -ge 2 && test \$good -lt 4"
$mkfs --quiet $fixed s.img t; set_byte s.img 1030 ff; rm -rf x
check "a wrong checksum does not keep anything" sh -c "$fsck -d1 --salvage=x s.img && diff -r --no-dereference t x"
mkdir many; for i in $(seq 300); do : >many/name-$i-that-is-long-so-that-there-are-blocks; done; $mkfs --quiet $fixed s.img many
at=$(extent s.img / 0); perl -e 'print "\0" x 4096' | dd of=s.img bs=1 seek=$at conv=notrunc 2>/dev/null; rm -rf x
check "the blocks of a directory that are left" sh -c "$fsck -d0 --salvage=x s.img; test \$? -eq 4 && test \$(ls x | wc -l) -gt 100"
$mkfs --quiet $fixed --preset=dense s.img t; packed=$(od -An -tu8 -j1120 -N8 s.img | tr -d ' ')
set_byte s.img $((packed * 32 + 5)) 00; rm -rf x
check "without the packed inode, names and links" sh -c "$fsck -d0 --salvage=x s.img; test \$? -eq 4 && test \$(readlink x/link) = a && test -e x/d/same"
# ---- sealed: the root hash, and its signature
if command -v openssl >/dev/null; then
	for k in one two; do openssl req -x509 -newkey rsa:2048 -nodes -keyout $k.key -out $k.crt -subj /CN=$k -days 30 2>/dev/null; done
	mkdir sealed; seq 20000 >sealed/a; cp sealed/a sealed/b
	check "--verity-sign" $mkfs --quiet -zlz4 --verity --verity-sign=one.key --cert=one.crt s.erofs sealed
	check "the root hash lies beside it, without a newline" sh -c 'test "$(wc -c <s.erofs.roothash)" -eq 64'
	openssl smime -sign -nocerts -noattr -binary -in s.erofs.roothash -inkey one.key -signer one.crt -outform der -out openssl.p7s
	same "the signature is openssl's, byte for byte" openssl.p7s s.erofs.roothash.p7s
	check "and openssl verifies it" openssl smime -verify -binary -inform der -in s.erofs.roothash.p7s -content s.erofs.roothash -certfile one.crt -nointern -noverify -out signed
	check "so does fsck, and the tree" sh -c "$fsck --cert=one.crt s.erofs | grep -q 'dm-verity root hash'"
	check "with the root hash given" $fsck -d1 --cert=one.crt --root-hash="$(cat s.erofs.roothash)" s.erofs
	fails 4 'verity.signature' "not by another certificate" $fsck -d1 --cert=two.crt s.erofs
	check "not of another root hash" sh -c "$fsck -d1 --cert=one.crt --root-hash=$(printf '%064d' 0) s.erofs 2>said; test \$? -eq 4 && grep -q verity.signature said"
	cp s.erofs.roothash saved; printf '%064d' 7 >s.erofs.roothash; check "nor of one that was changed" sh -c "$fsck -d1 --cert=one.crt s.erofs 2>said; test \$? -eq 4 && grep -q verity.signature said"; cp saved s.erofs.roothash
	printf x | dd of=s.erofs bs=1 seek=6000 conv=notrunc 2>/dev/null; check "nor of an image that was changed" sh -c "$fsck -d1 --cert=one.crt s.erofs 2>said; test \$? -eq 4 && grep -q verity.damaged said"
	fails 1 'does not belong' "a key of another certificate" $mkfs --quiet --verity --verity-sign=two.key --cert=one.crt n.erofs sealed
	fails 1 'go together' "a key without a certificate" $mkfs --quiet --verity --verity-sign=one.key n.erofs sealed
	fails 1 'no private key' "a key that is none" $mkfs --quiet --verity --verity-sign=one.crt --cert=one.crt n.erofs sealed
	check "none of these left anything" sh -c 'test -z "$(ls | grep n.erofs)"'
	check "a build that fails leaves no files beside" sh -c "! $mkfs --quiet --verity --verity-sign=one.key --cert=one.crt n.erofs nowhere 2>/dev/null; test -z \"\$(ls -A | grep n.erofs)\""
else skip "there is no openssl" "sealed images"; fi
finish
