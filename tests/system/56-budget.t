# Every command ends: hostile images cost no more than their size allows, and are called damaged. Limits of processors and memory are kept.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
command -v python3 >/dev/null || { skip "there is no python3" "hostile images"; finish; exit 0; }
make() { PYTHONDONTWRITEBYTECODE=1 python3 "$ERO_SOURCE/tests/system/mkhostile.py" "$1" "$2" "$3"; }
# cheap NAME WANT COMMAND…: within a second of processor time and 200 MB, with an exit code of WANT (a list)
cheap() {
	name=$1 want=$2; shift 2
	( [ -n "$sanitized" ] || ulimit -v 400000; ulimit -t 5; perl -e 'use POSIX; my $pid = fork; if (!$pid) { open STDOUT, ">", "said"; open STDERR, ">&", \*STDOUT; exec @ARGV } waitpid $pid, 0; my ($u, $s) = (times)[2, 3];
		printf "%d %.2f %d\n", $? & 127 ? 128 + ($? & 127) : $? >> 8, $u + $s, -s "said"' "$@" >cost )
	read -r code seconds bytes <cost
	echo "$*: exit $code, $seconds s, $bytes bytes of output" >why
	case " $want " in *" $code "*) ;; *) ok 1 "$name"; return;; esac
	perl -e 'exit !($ARGV[0] < $ARGV[1] && $ARGV[2] < 1e6)' "$seconds" ${sanitized:+10} ${sanitized:-1} "$bytes" 2>/dev/null
	ok $? "$name"
}
all_commands() { # IMAGE WHAT
	for c in "$fsck -d1" "$fsck --extract" "$fsck --json" "$fsck --extract=x" "$fsck --salvage=y"; do rm -rf x y; cheap "$2: fsck ${c#"$fsck "}" "4 12 8" $c "$1"; done
	check "$2: and what was salvaged is small" sh -c 'test ! -e y || test "$(du -sk y | cut -f1)" -lt 65536'
	for c in "$fsck --preflight" "$dump -S" "$dump --footprint" "$dump --diff $1" "$dump -s" "$dump --ls --path=/"; do cheap "$2: ${c##*/}" "0 1 2 4 8" $c "$1"; done
}
make shared_directories shared.img 2000; all_commands shared.img "2,000 directories with the same blocks"
make paths paths.img 39; all_commands paths.img "directories of 2^39 paths"
make many_names names.img 500; all_commands names.img "100,000 names of a file with one link"
check "a second name is refused, not written again" sh -c "rm -rf y; $fsck -d1 --salvage=y names.img 2>said; grep -q 'second name' said && test \$(find y -type f | wc -l) -eq 1"
make long_table table.img 60; all_commands table.img "a chunk table of 2^48 entries"
make hollow_metabox hole.img 62; all_commands hole.img "a metabox that is a hole of 2^62 bytes"
make many_names few.img 3
check "findings of one kind are counted after the hundredth" sh -c "$fsck few.img >said 2>&1; test \$(grep -c 'inode.nlink' said) -eq 100 && grep -q 'more findings are not shown' said"
check "--all shows them" sh -c "$fsck --all few.img 2>&1 | grep -c inode.nlink | grep -qx 599"
check "as JSON, too" sh -c "$fsck --json few.img | jq -e '.untold == 499 and (.findings | map(select(.id == \"inode.nlink\")) | length) == 100'"

# ---- extraction stops at damage, and at its limits
mkdir t; for i in $(seq 30); do head -c 20000 /dev/urandom >t/$i; done; ln t/1 t/hard; mkdir t/d; truncate -s 1G t/d/hole
$mkfs --quiet -T0 good.erofs t; cp good.erofs bad.erofs
check "a sound image is extracted within its default limits" sh -c "$fsck -d1 --extract=g good.erofs && test \$(stat -c %s g/d/hole) -eq 1073741824 && test \$(du -sk g | cut -f1) -lt 10000"
check "--max-files" sh -c "rm -rf g; $fsck -d1 --extract=g --max-files=10 good.erofs 2>said; test \$? -eq 8 && grep -q 'max-files' said && test \$(find g -type f | wc -l) -le 11"
check "--max-size" sh -c "rm -rf g; $fsck -d1 --extract=g --max-size=100000 good.erofs 2>said; test \$? -eq 8 && grep -q 'max-size' said && test \$(du -sk g | cut -f1) -lt 300"
at=$($dump -e --path=/15 good.erofs | awk '$2 == "0.." {print; exit}' | sed 's/.*: *\([0-9]*\)\.\..*/\1/'); $mkfs --quiet -T0 -zzstd z.erofs t
pos=$($dump --path=/3 --json z.erofs | jq .nid); : "$at"
python3 - z.erofs "$pos" <<'P'
import sys
image, nid = sys.argv[1], int(sys.argv[2])
with open(image, "r+b") as f:
    f.seek(nid * 32 + 4); f.write(b"\xff\xff")   # a mode of no type
P
check "extraction stops at damage" sh -c "rm -rf g; $fsck -d1 --extract=g z.erofs 2>said; test \$? -eq 4"
check "and says so" sh -c "grep -q 'inode.damaged' said"
check "--salvage goes on" sh -c "rm -rf g; $fsck -d1 --salvage=g z.erofs 2>said; test \$? -eq 4 && test \$(find g -type f | wc -l) -ge 29"

# ---- deep trees
depth=3000; mkdir deep; (cd deep || exit; perl -e 'for (1 .. shift) { mkdir "d"; chdir "d" } open F, ">", "end"' $depth)
$mkfs --quiet -T0 deep.erofs deep 2>why
check "a tree of $depth directories, one in the other" $fsck -d1 deep.erofs
if command -v strace >/dev/null && [ -z "$sanitized" ]; then
	strace -f -c -o calls $fsck -d1 --extract=deepx deep.erofs 2>/dev/null
	total=$(awk '$NF == "total" {print $(NF - 2) ~ /^[0-9]+$/ ? ($4 ~ /^[0-9]+$/ ? $4 : $3) : $3}' calls | tail -n 1)
	echo "$total system calls for $depth directories" >why
	check "is extracted with a number of system calls that goes with its depth ($total)" test "${total:-999999}" -lt $((depth * 30))
else skip "there is no strace, or sanitizers make calls of their own" "system calls of a deep tree"; fi
perl -e 'for my $t ("deep", "deepx") { my $n = 0; chdir $ENV{PWD}; chdir $t; $n++ while chdir "d"; unlink "end"; while ($n--) { chdir ".."; rmdir "d" } }'

# ---- processors and memory
group=/sys/fs/cgroup/cpu; quota=$group/erolith.$$
if is_root && [ -w $group/cgroup.procs ] && [ -e $group/cpu.cfs_quota_us ] && mkdir $quota 2>/dev/null; then
	echo 30000 >$quota/cpu.cfs_quota_us
	threads() { sh -c "echo \$\$ >$quota/cgroup.procs; exec strace -f -c -e trace=clone,clone3 $*" 2>&1 >/dev/null | awk '/clone/ {n += $4} END {print n + 0}'; }
	n=$(threads "$mkfs --sandbox=off --quiet -zlz4 q.erofs t"); echo "$n threads" >why
	check "a quota of a third of a processor: one thread at a time" test "$n" -le $((2 + ${sanitized:-0}))
	n=$(threads "$fsck --sandbox=off --extract good.erofs"); check "of the check, too" test "$n" -le $((1 + ${sanitized:-0}))
	rmdir $quota
else skip "there is no cpu controller of control groups, version 1, to write to" "workers follow the quota"; fi
if command -v strace >/dev/null; then
	n=$(strace -f -c -e trace=clone,clone3 $fsck --sandbox=off --workers=8 --memory=100M --extract good.erofs 2>&1 >/dev/null | awk '/clone/ {n += $4} END {print n + 0}')
	echo "$n threads" >why; check "--memory=100M leaves one of eight workers" test "$n" -le $((1 + ${sanitized:-0}))
else skip "there is no strace" "--memory"; fi
finish
