# Wrong input: one sentence, an exit code, no image, no crash.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
mkdir t; echo hello >t/a; seq 30000 >t/b; img=$work/i.erofs
fails 1 'no such file' "a source that is missing" $mkfs new.erofs nowhere
fails 1 'not a directory' "a source that is a file" $mkfs new.erofs t/a
fails 1 'missing' "no operands" $mkfs
fails 1 'too many' "too many operands" $mkfs a b c
fails 1 'is a directory' "an image that is a directory" $mkfs t t
fails 1 'directory' "an image in no directory" $mkfs nowhere/new.erofs t
fails 1 'no option' "an unknown option" $mkfs --frobnicate new.erofs t
fails 1 'needs an argument' "a missing argument" $mkfs new.erofs t -b
fails 1 'unknown compression' "an unknown algorithm" $mkfs -zlz5 new.erofs t
fails 1 'levels are 0 to 12' "a level out of range" $mkfs -zlz4hc,13 new.erofs t
fails 1 'no valid level' "a level with junk" $mkfs -zlz4hc,9x new.erofs t
fails 1 'power of two' "a block size that is none" $mkfs -b1000 new.erofs t
fails 1 'no number' "a number with junk" $mkfs -b4096x new.erofs t
fails 1 'multiple of the block size' "a pcluster that is no multiple" $mkfs -zlz4 -C5000 new.erofs t
fails 1 '1048576' "a pcluster that is too large" $mkfs -zlz4 -C2097152 new.erofs t
fails 1 'longer than 15' "a label that is too long" $mkfs -L sixteen-bytes-xx new.erofs t
fails 1 'UUID' "a UUID that is none" $mkfs -U nonsense new.erofs t
fails 1 'extended option' "an unknown word of -E" $mkfs -Enonsense new.erofs t
fails 1 'chunk' "chunks and compression together" $mkfs -zlz4 --chunksize=4096 new.erofs t
fails 1 'exclude-regex' "a regular expression that is none" $mkfs --exclude-regex '(' new.erofs t
fails 1 'exclude-regex.*memory' "a regular expression that takes all memory" $mkfs --exclude-regex 'a++++++++++++++++++++++++++++++++++++++++' new.erofs t
fails 1 'exclude-regex.*memory' "and one with numbers" $mkfs --exclude-regex '((a{255}){255}){2,}' new.erofs t
echo '4096 ^(((x{3}){300}){300})$' >hints
fails 1 'hints, line 1.*memory' "and one of a list" $mkfs -zlz4 --compress-hints=hints new.erofs t
fails 1 'exclude-regex.*memory' "and one of what may be empty" $mkfs --exclude-regex 'a{0,32767}' new.erofs t
check "others are taken" $mkfs --quiet --exclude-regex '^([a-z]+/)+[^/]{1,64}\\.[a-z0-9]{2,255}$' --exclude-regex '(a*){1000}' --exclude-regex '(a{40}){40}' good.erofs t
rm -f hints good.erofs
fails 1 'hints' "hints that are missing" $mkfs -zlz4 --compress-hints=nowhere new.erofs t
check "none of these left an image, or anything else" sh -c 'test "$(ls -A)" = "$(printf "mnt\nout\nt\nwhy" )" -o "$(ls -A | grep -vxE "mnt|out|t|why|empty|probe.erofs" | wc -l)" -eq 0'

$mkfs --quiet -zlz4 -T0 -U clear $img t
fails 8 'no such file' "fsck: a missing image" $fsck nowhere
fails 16 'missing' "fsck: no image" $fsck
fails 4 'not EROFS|not an EROFS|no EROFS' "fsck: a text file" $fsck t/b
: >zero; fails 4 'no EROFS' "fsck: an empty image" $fsck zero
fails 8 'directory' "fsck: a directory" $fsck t
fails 8 'no "x"' "fsck: a path that is missing" $fsck --path=/x $img
fails 1 'no "x"' "dump: a path that is missing" $dump --path=/x $img
fails 1 'no such file' "dump: a missing image" $dump nowhere
fails 1 'not an EROFS' "dump: a text file" $dump t/b
fails 1 'need an inode' "dump: --ls of nothing" $dump --ls $img

# truncated anywhere: never clean, never a crash
size=$(stat -c %s $img); bad=0
for cut in 0 1 1023 1024 1100 1151 1152 1500 2000 3000 $(seq 4096 512 $((size - 1))); do
	head -c $cut $img >cut.erofs
	$fsck -d0 --extract cut.erofs >/dev/null 2>why; code=$?
	[ $code -eq 4 ] || [ $code -eq 8 ] || { bad=$((bad + 1)); echo "cut at $cut: exit $code" >>why2; }
done
[ -f why2 ] && mv why2 why
ok $bad "an image cut off anywhere is never clean, and never crashes the checker"

# every byte of the head and the metadata wrong in turn: no crash, no hang
bad=0; seed=1
for i in $(seq 1 ${ERO_MUTANTS:-300}); do
	seed=$(( (seed * 1103515245 + 12345) % 2147483648 ))
	at=$(( seed / 7 % size )); [ $((i % 2)) -eq 0 ] && at=$(( 1024 + seed / 7 % 400 ))
	cp $img m.erofs; printf "\\$(printf %o $((seed / 65536 % 256)))" | dd of=m.erofs bs=1 seek=$at conv=notrunc 2>/dev/null
	timeout 10 $fsck -d0 --no-sbcrc --extract m.erofs >/dev/null 2>&1; code=$?
	case $code in 0 | 4 | 8 | 12) ;; *) bad=$((bad + 1)); echo "byte $at: exit $code" >>why2 ;; esac
	timeout 10 $dump --no-sbcrc -S m.erofs >/dev/null 2>&1; code=$?
	case $code in 0 | 1) ;; *) bad=$((bad + 1)); echo "byte $at: dump exit $code" >>why2 ;; esac
done
[ -f why2 ] && mv why2 why
ok $bad "no wrong byte crashes or hangs the checker or the dumper"

if is_root; then
	mkdir -p small; mount -t tmpfs -o size=2m tmpfs small
	head -c 5000000 /dev/urandom >t/big
	echo old >small/x.erofs
	fails 1 'space' "no space" $mkfs --quiet small/x.erofs t
	check "the old file is still there, and nothing else" sh -c 'test "$(cat small/x.erofs)" = old && test "$(ls -A small)" = x.erofs'
	umount small; rm t/big
	chmod 600 t/a; chown 1 t/a
	if command -v setpriv >/dev/null; then # root without its way past permissions
		mkdir out2
		fails 1 'permission denied' "a file that may not be read" setpriv --bounding-set=-dac_override,-dac_read_search $mkfs --quiet out2/x.erofs t
		check "and no image" test -z "$(ls -A out2)"
	else skip "no setpriv here" "a file that may not be read"; fi
else skip "needs root for a full file system" "no space"; fi
finish
