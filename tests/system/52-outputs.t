# Where an image may go: what cannot be renamed over is written in place, and nothing is left behind by whatever ends a build.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
kills=${sanitized:+20} kills=${ERO_KILLS:-${kills:-200}}
mkdir src; seq 5000 >src/a; head -c 20000 /dev/urandom >src/b; ln -s a src/l
fixed="-T0 -U clear"
$mkfs --quiet $fixed good.erofs src
as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"

# ---- kinds of output
touch into over; if is_root; then
	head -c 900000 /dev/urandom >into; mount --bind into over
	check "a mount point gets the finished content" $mkfs --quiet $fixed over src
	same "all of it, and no more" into good.erofs
	umount over
else skip "needs root to mount" "a mount point"; fi
head -c 900000 /dev/urandom >gone; exec 5<>gone; ln gone kept; rm gone
check "a descriptor whose file has no name" sh -c "$mkfs --quiet $fixed /proc/self/fd/5 src"
same "gets the image" kept good.erofs
check "and /dev/fd, where it was a longer one" sh -c "head -c 5000000 /dev/zero >&5; $mkfs --quiet $fixed /dev/fd/5 src"
same "is cut to the image" kept good.erofs
exec 5>&-
check "a memfd" python3 -c "
import os, subprocess
fd = os.memfd_create('image')
os.set_inheritable(fd, True)
subprocess.run('$mkfs --quiet $fixed /dev/fd/%d src' % fd, shell=True, pass_fds=[fd], check=True)
assert os.pread(fd, 10 ** 8, 0) == open('good.erofs', 'rb').read()"
check "and no file has got the name that /proc shows of it" test ! -e '/memfd:image (deleted)'
check "/dev/stdout into a pipe" sh -c "$mkfs --quiet $fixed /dev/stdout src | cat >p.erofs && cmp p.erofs good.erofs"
check "/dev/stdout into a file, and the summary goes elsewhere" sh -c "$mkfs $fixed /dev/stdout src >p.erofs 2>summary && cmp p.erofs good.erofs && grep -q inodes summary"
check "a descriptor that is open for appending" sh -c ": >p.erofs; $mkfs --quiet $fixed /dev/fd/6 src 6>>p.erofs && cmp p.erofs good.erofs"
ln -s new.erofs dangling
check "a link to a file that is not there yet" $mkfs --quiet $fixed dangling src
same "makes it" new.erofs good.erofs
check "and the link stays one" test -L dangling
ln -s loop1 loop2; ln -s loop2 loop1; fails 1 'loop1' "links in a circle" $mkfs --quiet loop1 src
if is_root && chmod 755 "$work" && $as_nobody test -x "$mkfs" 2>/dev/null; then
	mkdir shut; : >shut/i; chmod 666 shut/i; chmod 555 shut
	check "a writable file in a directory that takes no other" $as_nobody "$mkfs" --quiet $fixed shut/i src
	same "is written" shut/i good.erofs
	check "a large archive for it, which has to be put aside" sh -c "tar -cf big.tar -C / usr/share/perl5 && $as_nobody $mkfs --quiet --tar=f shut/i big.tar && $fsck -d1 shut/i"
	chmod 000 src/a; fails 1 'cannot' "a build that fails there" $as_nobody "$mkfs" --quiet shut/i src; chmod 644 src/a
	check "leaves no half image" sh -c 'test ! -s shut/i || $1 -d1 shut/i' - "$fsck"
	mkdir sticky; chmod 1777 sticky; : >sticky/i; chmod 666 sticky/i
	check "a file of somebody else in a sticky directory" $as_nobody "$mkfs" --quiet $fixed sticky/i src
	same "is written" sticky/i good.erofs
	check "and no temporary file stays" sh -c 'test "$(ls -A sticky)" = i'
else skip "needs root, and a build directory that others may enter" "outputs of another user"; fi
if is_root && [ -z "$sanitized" ]; then
	noproc() { unshare -m sh -c "mount --make-rprivate /; mount -t tmpfs none /proc; $*"; }
	setfattr -n user.x -v y src/a 2>/dev/null; $mkfs --quiet $fixed xattr.erofs src
	check "without /proc" noproc "$mkfs --quiet $fixed p.erofs src"
	same "the image is the same, xattrs and all" p.erofs xattr.erofs
	check "and it is extracted" noproc "$fsck -d1 --xattrs --extract=bare p.erofs"
else skip "needs root to hide /proc, and a build without a leak checker, which reads it" "without /proc"; fi

# ---- blob and image belong together
mkdir big; for i in $(seq 60); do head -c 100000 /dev/urandom >big/$i; done
pair="--quiet $fixed --chunksize=4096 --blobdev=pair.blob"
$mkfs $pair pair.erofs src; cp pair.erofs old.erofs; cp pair.blob old.blob
$mkfs $pair pair.erofs big; cp pair.erofs new.pair; cp pair.blob new.blob
took=$(perl -MTime::HiRes=time -e '$s = time; system @ARGV; print time - $s' $mkfs $pair pair.erofs big); bad=0; olds=0
for i in $(seq $kills); do
	cp old.erofs pair.erofs; cp old.blob pair.blob
	$mkfs $pair pair.erofs big & pid=$!
	perl -e "select undef, undef, undef, $took * (0.5 + rand(0.6))"; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
	sleep 0.02 # what has begun is finished by a child
	if cmp -s pair.erofs old.erofs && cmp -s pair.blob old.blob; then olds=$((olds + 1))
	elif ! cmp -s pair.erofs new.pair || ! cmp -s pair.blob new.blob; then bad=$((bad + 1)); echo "round $i: a pair that does not belong together" >>why; fi
done
ok $bad "killed at $kills moments, blob and image are both old or both new ($olds old)"
if [ -e "$bin/tests/system/failrename.so" ]; then
	for n in 1 2 3 4; do for code in 5 28 18; do
		rm -f .*.tmp; cp old.erofs pair.erofs; cp old.blob pair.blob
		FAIL_RENAME=$n FAIL_CODE=$code LD_PRELOAD=$bin/tests/system/failrename.so $mkfs $pair pair.erofs big 2>e; code=$?
		if [ $code -ne 0 ]; then cmp -s pair.erofs old.erofs && cmp -s pair.blob old.blob && [ -z "$(ls -A | grep 'tmp$')" ] && [ "$(wc -l <e)" -eq 1 ]
		else cmp -s pair.erofs new.pair && cmp -s pair.blob new.blob; fi
		ok $? "rename number $n fails with $code: both are old, or both new"
	done; done
else skip "the sanitizers' library must be loaded first" "renames that fail"; fi
cp old.blob other.blob; cp new.pair pair.erofs
check "a blob that is not the image's" sh -c "$fsck -d1 --extract --device=other.blob pair.erofs 2>e; test \$? -eq 4 && grep -q 'device.digest' e"
cp new.blob other.blob; printf x | dd of=other.blob bs=1 seek=5000 conv=notrunc 2>/dev/null
fails 4 'device.digest' "a blob in which one byte differs" $fsck -d1 --extract --device=other.blob pair.erofs
check "the right one" $fsck -d1 --extract --device=new.blob pair.erofs

# ---- signals
real_tree t >/dev/null
for where in . ${tmpless:+"$tmpless"}; do for sig in TERM HUP INT; do
	for i in 1 2 3; do
		rm -f sig.erofs; env --default-signal=INT,HUP $mkfs --quiet -zlzma,9 sig.erofs t & pid=$!
		perl -e 'select undef, undef, undef, 0.2 * $ARGV[0]' $i; kill -$sig $pid 2>/dev/null; wait $pid 2>/dev/null; code=$?
	done
	check "SIG$sig ends a build in its own way, and leaves nothing" sh -c "test $code -gt 128 && test -z \"\$(ls -A | grep -E 'tmp$|sig.erofs')\""
done; done
check "a limit of the file size is a sentence" sh -c "(ulimit -f 16; $mkfs --quiet limit.erofs big 2>e); test \$? -ne 153; grep -qi 'too large' e && test ! -e limit.erofs && test -z \"\$(ls -A | grep 'tmp$')\""
check "a pipe that nobody reads is a sentence" sh -c "{ $mkfs --quiet - big 2>e; echo \$? >code; } | head -c 10 >/dev/null; grep -q 'Broken pipe' e && test \$(cat code) -eq 1"
for c in "$fsck good.erofs" "$dump -s good.erofs" "$fsck --json good.erofs" "$mkfs --version" "$dump --json --ls --path=/ good.erofs"; do
	fails "$(case $c in *fsck*) echo 8;; *) echo 1;; esac)" 'no space' "a full standard output is no success: $(basename "${c%% *}") ${c#* }" sh -c "$c >/dev/full"
done

# ---- names that go away, and fakeroot
if [ -n "$sanitized" ]; then skip "sanitizers must be the first library that is loaded" "fakeroot and pseudo"; else
if command -v fakeroot >/dev/null; then
	fakeroot sh -c "mkdir f; echo 1 >f/f; chown 5:6 f/f; mknod f/dev c 5 1; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 f/f; $mkfs --quiet fake.erofs f"
	check "what fakeroot shows is what the image has" sh -c "$dump --path=/f fake.erofs | grep -q security.capability && $dump --path=/f fake.erofs | grep -q 'Uid: 5 ' && $dump --path=/dev fake.erofs | grep -q 'character device'"
else skip "there is no fakeroot" "fakeroot"; fi
if command -v pseudo >/dev/null; then
	mkdir state; PSEUDO_PREFIX=/usr PSEUDO_LOCALSTATEDIR=$work/state pseudo sh -c "mkdir g; echo 1 >g/f; chown 7:8 g/f; setfattr -n security.foo -v b g/f; $mkfs --quiet fake.erofs g" 2>why
	check "and so is what pseudo shows" sh -c "$dump --path=/f fake.erofs | grep -q security.foo && $dump --path=/f fake.erofs | grep -q 'Uid: 7 '"
	pkill -P $$ -x pseudo 2>/dev/null; PSEUDO_PREFIX=/usr PSEUDO_LOCALSTATEDIR=$work/state pseudo -S 2>/dev/null
else skip "there is no pseudo" "pseudo"; fi
fi
mkdir busy; (while :; do for i in 1 2 3 4 5 6 7 8; do mkdir -p busy/d$i/e; : >busy/f$i; ln -s x busy/l$i; done; rm -rf busy/*; done 2>/dev/null) & churn=$!
bad=0; seen=0
for i in $(seq 60); do
	$mkfs --quiet busy.erofs busy 2>e || { bad=$((bad + 1)); cat e >>why; }
	grep -q 'has gone' e && seen=$((seen + 1))
	$fsck -d1 busy.erofs >>why 2>&1 || bad=$((bad + 1))
done
kill $churn; wait $churn 2>/dev/null
ok $bad "names that go away while the source is read are left out ($seen of 60 builds met some)"

# ---- owners stand in ACLs and capabilities, too
if is_root; then
	mkdir o; echo 1 >o/f; mkdir o/d; setfacl -m u:1234:r,g:77:rx o/f; setfacl -d -m u:9:rwx o/d
	setfattr -n security.capability -v 0x010000030004000000000000000000000000000005000000 o/f 2>/dev/null || setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 o/f
	$mkfs --quiet --uid-offset=100000 --gid-offset=5 shifted.erofs o
	if can_mount; then
		$mountimg shifted.erofs "$mnt"; getfacl -nc "$mnt/f" "$mnt/d" >acl 2>/dev/null; umount "$mnt"
		check "ACLs are shifted" sh -c 'grep -q "^user:101234:r--" acl && grep -q "^group:82:r-x" acl && grep -q "^default:user:100009:rwx" acl'
	else skip "$why_not" "ACLs are shifted"; fi
	fails 1 'uid-offset' "an id of an ACL that would leave the range" sh -c "setfacl -m u:4294967290:r o/f && $mkfs --quiet --uid-offset=100 no.erofs o"
else skip "needs root to set ids" "ACLs are shifted"; fi
finish
