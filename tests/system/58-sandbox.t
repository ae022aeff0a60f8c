# What parses images and archives can read, and write where it was told to, and nothing else; tried from inside.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
escape=$bin/tests/system/escape
mkdir t; seq 9000 >t/a; mkdir t/d; ln t/a t/d/hard; mkfifo t/p; setfattr -n user.x -v y t/a 2>/dev/null
case $($fsck --version) in
*"sandbox: off"*)
	skip "this build has sanitizers, which need more than a sandbox allows" "the sandbox"
	check "and it is said where it is required" sh -c "$mkfs --sandbox=require no.erofs t 2>said; test \$? -eq 1 && grep -q sanitizers said"
	finish; exit 0;;
*Landlock\ [1-9]*seccomp*) ;;
*) skip "this kernel, or this build, has no Landlock or no seccomp: $($fsck --version | tail -n 1)" "the sandbox"; finish; exit 0;;
esac
outcome() { sed -n "s/^$1: //p" "$2"; }
for task in read extract build; do
	rm -rf box there moved outside; mkdir box; echo x >there
	check "$task: a sandbox can be made" sh -c "$escape $task box require >said-$task"
	for may in "read a file" "write to the null device" "start a thread"; do check "$task: may $may" test "$(outcome "$may" said-$task)" = "done"; done
	case $task in read) want=denied;; *) want="done";; esac
	check "$task: make a file inside: $want" test "$(outcome "make a file inside" said-$task)" = $want
	for must_not in "make a file outside" "write a file outside" "truncate a file outside" "remove a file outside" "link to a file outside" "move a file out" "make a device outside" connect \
		"open a raw socket" execute "trace its parent" "read its parent's memory" mount "enter a namespace" "change root" "load a module" "keep CAP_NET_ADMIN"; do
		check "$task: may not $must_not" test "$(outcome "$must_not" said-$task)" = denied
	done
	check "$task: nothing outside has changed" sh -c 'test "$(cat there)" = x && test ! -e outside && test ! -e moved'
done
rm -rf box; mkdir box; echo x >there; $escape read box off >said-off
check "without it these attempts succeed, so they are real ones" sh -c 'test "$(grep -c done said-off)" -gt 8'

$mkfs --quiet -T0 -U clear --sandbox=off plain.erofs t
for mode in on require off; do
	check "--sandbox=$mode: an image is built" $mkfs --quiet -T0 -U clear --sandbox=$mode $mode.erofs t
	same "--sandbox=$mode: the same" plain.erofs $mode.erofs
	check "--sandbox=$mode: checked" $fsck -d1 --sandbox=$mode --extract $mode.erofs
	check "--sandbox=$mode: extracted" sh -c "rm -rf x; $fsck -d1 --sandbox=$mode --xattrs --extract=x $mode.erofs && test -p x/p && test x/a -ef x/d/hard"
	check "--sandbox=$mode: a path of it" sh -c "rm -f one; $fsck -d1 --sandbox=$mode --path=/a --extract=one $mode.erofs && cmp one t/a"
	check "--sandbox=$mode: shown" sh -c "$dump --sandbox=$mode --cat --path=/a $mode.erofs | cmp - t/a && $dump --sandbox=$mode -S $mode.erofs >/dev/null"
	check "--sandbox=$mode: an archive from a pipe" sh -c "tar -C t -cf - . | $mkfs --quiet --sandbox=$mode --tar=f tar.erofs && $fsck -d1 tar.erofs"
	check "--sandbox=$mode: to a pipe" sh -c "$mkfs --quiet -T0 -U clear --sandbox=$mode - t | cmp - plain.erofs"
done
fails 1 'on, off and require' "another word" $mkfs --sandbox=maybe no.erofs t
check "a target in another directory, by a link" sh -c "mkdir -p far/away; ln -s $work/far/away/i.erofs near; $mkfs --quiet -T0 -U clear near t && cmp far/away/i.erofs plain.erofs"
check "a target that does not open leaves no directory" sh -c "$fsck --extract=nothing there 2>/dev/null; test \$? -ne 0 && test ! -e nothing"
fails 1 'LD_PRELOAD' "under a preloaded library it cannot be required" env LD_PRELOAD=libc.so.6 $mkfs --quiet --sandbox=require no.erofs t
check "and steps aside" env LD_PRELOAD=libc.so.6 $mkfs --quiet -T0 -U clear aside.erofs t
if command -v strace >/dev/null; then
	check "seccomp is in force" sh -c "strace -f -o calls -e trace=seccomp,prctl,landlock_restrict_self $fsck -d1 plain.erofs; grep -q landlock_restrict_self calls && grep -qE 'SECCOMP|seccomp' calls"
else skip "there is no strace" "seccomp is in force"; fi
# speed: the cost of a process, on a run of some length
mkdir long; for i in $(seq 400); do head -c 200000 /dev/urandom >long/$i; done; $mkfs --quiet long.erofs long
perl -MTime::HiRes=time -e 'my %t; for my $r (1 .. 7) { for my $m (qw(on off)) { my $s = time; system $ARGV[0], "-d0", "--sandbox=$m", "--extract", $ARGV[1]; push @{$t{$m}}, time - $s } }
	my ($on, $off) = map { (sort { $a <=> $b } @{$t{$_}})[3] } qw(on off); printf "# on %.3f s, off %.3f s\n", $on, $off; exit($on > $off * 1.1 + 0.02)' $fsck long.erofs >why 2>&1
code=$?; sed 's/^/# /' why; ok $code "it costs no time that could be seen"
finish
