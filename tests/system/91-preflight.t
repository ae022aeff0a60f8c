# --preflight as a tool: exit codes, facts judged elsewhere, the kernel's own answer, files that are held, what a mount costs.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
tools=$bin/tests/system
mkdir -p t/sub; cp -a /etc/init.d t/ 2>/dev/null; seq 1 50000 >t/sub/text; head -c 3000000 /dev/urandom >t/random
chown -R 0:0 t 2>/dev/null; sum t >t.sum
$mkfs --quiet -zlz4 a.erofs t
exits() { want=$1 name=$2; shift 2; "$@" >out 2>why; code=$?; [ $code -eq "$want" ]; ok $? "$name: exit code $code, wanted $want"; }

# ---- what it says ----

check "the rules are listed" sh -c "test \$($fsck --rules | wc -l) -ge 60"
check "as JSON, too, with all that is known of each" sh -c "$fsck --rules --json | jq -e 'length >= 60 and all(.[]; .id and .severity and .message and .remedy and .source and .tried)'"
for id in $($fsck --rules --json | jq -r '.[].id'); do $fsck --explain=$id >e 2>&1 && grep -q remedy e && grep -q "^$id" e || echo "$id"; done >why
test ! -s why; ok $? "every one is explained"
fails 16 'nothing is called' "an unknown rule is not" $fsck --explain=layer.none
fails 16 'none of auto' "an unknown way is refused" $fsck --preflight --as=ship a.erofs
fails 16 'go with --preflight' "options of preflight need it" $fsck --probe a.erofs
fails 16 'no kernel version' "a kernel is a number" $fsck --preflight --for-kernel=new a.erofs
fails 16 'two places' "offsets may not contradict" $fsck --preflight --offset=4096 --mount-opts=fsoffset=8192 a.erofs
fails 16 'image and a command' "--exec needs a command" $fsck --preflight --exec a.erofs
fails 16 'says everything' "--facts stands alone" $fsck --preflight --facts=x a.erofs
fails 8 'facts' "and is a file" $fsck --preflight --facts=nowhere
$fsck --rules --json | jq -r '.[] | .tried' | grep -oE '\b[A-NT][0-9]+[a-z]?\b' | sort -u | while read -r id; do
	grep -qE "(try|all_ways|finds|lacks|check \"|report\.)\s*$id\b" "$ERO_SOURCE/tests/system/90-layering.t" || echo "case $id is not in 90-layering.t"
done >why
test ! -s why; ok $? "the cases that rules name exist"
if [ "$(id -u)" -eq 0 ]; then
	exits 0 "go" $fsck --preflight "$work/a.erofs"
	cp a.erofs w.erofs; chmod 666 w.erofs
	exits 0 "warnings are a go" $fsck --preflight w.erofs
	exits 1 "but with --strict" $fsck --preflight --strict w.erofs
else skip "needs root" "exit codes of a go"; fi
exits 4 "no-go" $fsck --preflight t/random
exits 4 "for a kernel that is too old" $fsck --preflight --for-kernel=6.6 a.erofs
exits 4 "no file" $fsck --preflight nowhere
exits 12 "two images join theirs" sh -c "$fsck --preflight nowhere; a=\$?; $fsck --preflight --for-kernel=6.13 --mount-opts=fsoffset=4096 nowhere >/dev/null; $fsck --preflight --facts=- <<-'X'; exit \$((a | \$?))
	{\"erolith_facts\": 1, \"plan\": {\"way\": \"file\"}}
	X"
$fsck --preflight --json a.erofs >j
check "the report is JSON" jq -e '.verdict and .way == "file" and (.findings | type) == "array" and (.advice | length) >= 2' j
check "advice has commands and pages" jq -e '.advice | all(.[]; .command and .pages.total > 0)' j
nl=$(printf 'new\nline \033[1m\377.erofs'); cp a.erofs "$nl"; $fsck --preflight "$nl" >o 2>&1
check "names of any bytes do no harm" sh -c 'test $(grep -c "^" o) -le 12 && ! grep -q "$(printf "\033")" o'
check "nor in JSON" sh -c "$fsck --preflight --json \"\$1\" | jq -e .image" - "$nl"

# ---- facts ----

$fsck --preflight --save-facts=f.json a.erofs >here 2>&1
mkfifo a.erofs.verity; check "a fifo in the place of a digest hangs nobody" timeout 10 $fsck --preflight a.erofs; rm a.erofs.verity
for o in defaults nofail x-systemd.automount _netdev nodirectio context=any user_xattr; do check "the option $o is nothing against it" $fsck --preflight --for-kernel=6.18.44 --mount-opts=$o "$work/a.erofs"; done
for o in fsoffset=4K domain_id=x,inode_share=1 sizelimit=4096; do exits 4 "the option $o is" $fsck --preflight --for-kernel=6.18.44 --mount-opts=$o "$work/a.erofs"; done
exits 4 "a size limit that cuts the image" $fsck --preflight --as=loop --for-kernel=6.18.44 --mount-opts=loop,sizelimit=8192 "$work/a.erofs"
cp a.erofs huge.erofs; truncate -s 1T huge.erofs 2>/dev/null && check "what lies behind an image costs nothing" timeout 5 $fsck --preflight --for-kernel=6.18.44 "$work/huge.erofs"; rm -f huge.erofs
check "facts are JSON" jq -e '.erolith_facts == 1 and .image.header == true' f.json
$fsck --preflight --facts=f.json >there 2>&1
same "and judged elsewhere alike" here there
check "every fact is named in the manual" sh -c "jq -r '[.plan, .kernel, .who, .image, .file] | .[] | keys[]' f.json | sort -u | while read -r k; do grep -q \"\\b\$k\\b\" '$ERO_SOURCE/man/erolith-layering.7' || { echo \$k; exit 1; }; done"
jq '.file.fs_magic = 26985 | .file.fs_type = "nfs4" | .kernel.release = "6.12.100" | .kernel.exact = true' f.json >nfs.json
$fsck --preflight --facts=nfs.json >o 2>&1
check "a file on NFS needs no NFS" grep -q layer.backing.network o
jq '.file.size = {"unknown": "nobody looked"}' f.json >u.json
exits 8 "what is unknown gives no verdict" $fsck --preflight --facts=u.json
check "and says why" grep -q 'nobody looked' out
for bad in '{}' '[]' 'x' '{"erolith_facts": 1, "file": {"size": "big"}}' '{"erolith_facts": 1, "fiel": {}}'; do
	echo "$bad" >bad.json; fails 16 'facts' "bad facts are refused: $bad" $fsck --preflight --facts=bad.json
done
check "the manual is made from the rules" sh -c "$fsck --rules --json | jq -r '.[].id' | while read -r id; do grep -q \"\$id\" '$ERO_SOURCE/man/erolith-layering.7' || { echo \$id; exit 1; }; done"
check "and is well-formed" sh -c "! command -v mandoc >/dev/null || mandoc -T lint -W error '$ERO_SOURCE/man/erolith-layering.7'"

# ---- mkfs.erofs asks, too ----

$mkfs --quiet b.erofs t 2>warned; check "an image on a disk is nothing to warn of" test ! -s warned
if [ -d /dev/shm ] && [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
	$mkfs --quiet /dev/shm/erolith.$$ t 2>warned; rm -f /dev/shm/erolith.$$
	check "one on tmpfs is" grep -q layer.backing.no-read-folio warned
else skip "/dev/shm is no tmpfs" "a warning about tmpfs"; fi
$mkfs --quiet -b16384 big.erofs t 2>warned; [ "$(getconf PAGE_SIZE)" -ge 16384 ] || check "and blocks over the page size" grep -q layer.image.block-size warned
for b in 512 1024 4096; do $mkfs --quiet -b$b p.erofs t; check "images of $b-byte blocks are padded to 4096" [ $(($(stat -c %s p.erofs) % 4096)) -eq 0 ]; done
if $mkfs --quiet --record-verity v.erofs t 2>o; then
	check "the digest is written beside it" grep -qE '^sha256:[0-9a-f]{64} v.erofs$' v.erofs.verity
	if command -v fsverity >/dev/null; then fsverity digest v.erofs >d; same "the one of fsverity-utils" v.erofs.verity d; else skip "fsverity is not installed" "fsverity's digest"; fi
	exits 0 "and compared" $fsck --preflight --verity --for-kernel=6.18.44 v.erofs
	printf x | dd of=v.erofs bs=1 seek=1500000 conv=notrunc 2>/dev/null
	exits 4 "a byte that changed is found" $fsck --preflight --verity v.erofs
	fails 16 'no fs-verity digest' "a file that is no digest is refused" $fsck --preflight --verity=/etc/passwd v.erofs
else grep -q libfsverity o; ok $? "without libfsverity that is said"; fi
$mkfs --quiet --chunksize=4096 --blobdev=blob c.erofs t
check "device tables carry the blob's digest" sh -c "test \"\$($fsck --preflight --device=blob --save-facts=- c.erofs 2>/dev/null | jq -r '.devices[0].slot.tag')\" = \"\$(sha256sum blob | cut -d' ' -f1)\""

# ---- the kernel's own answer ----

if can_mount; then
	for c in "a.erofs:" "t/random:" "a.erofs:bogus" "a.erofs:fsoffset=4096" "a.erofs:device=$work/blob" "c.erofs:device=$work/blob" "a.erofs:directio" "nowhere:"; do
		$fsck --preflight --json --probe --mount-opts="${c#*:}" "${c%%:*}" >j 2>why
		check "rules and kernel agree about $c" jq -e '.probe.asked and .probe.agrees' j
	done
	jq '.kernel.file_backed = false | .who.answer = 0' f.json >l.json
	exits 4 "facts that lie are judged as they are" $fsck --preflight --facts=l.json
else skip "$why_not" "the kernel's own answer"; fi

# ---- held ----

exits 0 "a command runs while the file is held" $fsck --preflight --for-kernel=6.18.44 --exec "$work/a.erofs" -- sh -c 'cmp "$EROLITH_IMAGE" a.erofs && cmp "$1" a.erofs' - {}
exits 3 "its exit code is ours" $fsck --preflight --for-kernel=6.18.44 --exec "$work/a.erofs" -- sh -c 'exit 3'
exits 127 "a command that is not there" $fsck --preflight --for-kernel=6.18.44 --exec "$work/a.erofs" -- /nowhere/command
exits 4 "a no-go runs nothing" $fsck --preflight --exec t/random -- touch ran
check "indeed" test ! -e ran
if is_root && $tools/holdfile write a.erofs >ready & then
	holder=$!; while [ ! -s ready ]; do sleep 0.05; done
	fails 4 'open for writing' "a file that is open for writing cannot be held" $fsck --preflight --exec a.erofs -- true
	kill $holder; wait $holder 2>/dev/null
	cp a.erofs race.erofs; before=$(sha256sum <race.erofs)
	# a writer at the door: its open must wait until the command has ended
	$fsck --preflight --for-kernel=6.18.44 --exec "$work/race.erofs" -- sh -c 'touch inside; sleep 2; sha256sum </proc/self/fd/0 >/dev/null; sha256sum <"$1" >seen; touch left' - {} >o 2>told & held=$!
	while [ ! -e inside ]; do sleep 0.05; done
	(printf 'WRITTEN' | dd of=race.erofs bs=1 seek=2000 conv=notrunc 2>/dev/null; [ -e left ] && touch waited) & writer=$!
	wait $held; code=$?; wait $writer
	check "nobody writes to a held file while the command runs" [ "$(cat seen)" = "$before" ]
	check "a writer waits for its end" test -e waited
	check "and it is told" grep -q 'somebody wants to write' told
	cp a.erofs race.erofs
	exits 4 "a change of mode is found out afterwards" $fsck --preflight --for-kernel=6.18.44 --exec "$work/race.erofs" -- chmod 600 race.erofs
	if can_mount; then
		rm -f o; $fsck --preflight --hold race.erofs >/dev/null 2>o & held=$!
		while ! grep -qs 'is held' o; do sleep 0.05; done
		kill -0 $held; check "--hold waits" kill -0 $held
		check "the held file can be mounted by its descriptor" $mountimg "/proc/$held/fd/$(sed -n 's,.*/fd/\([0-9]*\).*,\1,p' o)" "$mnt"
		wait $held; ok $? "and ends when it is mounted"
		umount "$mnt"
		rm -f o; $fsck --preflight --hold race.erofs >/dev/null 2>o & held=$!
		while ! grep -qs 'is held' o; do sleep 0.05; done
		mv race.erofs raced.erofs; cp a.erofs race.erofs
		wait $held; code=$?; check "--hold ends when the path names another file" [ $code -eq 4 ]
		loop=$(losetup -r -f --show race.erofs); rm -f o; $fsck --preflight --hold race.erofs >/dev/null 2>o & held=$!
		while ! grep -qs 'is held' o; do sleep 0.05; done
		$mountimg "$loop" "$mnt"; wait $held; ok $? "--hold sees a mount by a loop device"; umount "$mnt"; losetup -d "$loop"
	else skip "$why_not" "--hold"; fi
	exits 16 "a device cannot be held" $fsck --preflight --exec /dev/null -- true
	# whoever waited while the file was judged, and does no more
	cp a.erofs race.erofs; $fsck --preflight --for-kernel=6.18.44 --exec "$work/race.erofs" -- sh -c 'sleep 30 & echo $! >grandchild; sleep 30' >o 2>&1 & held=$!
	while [ ! -s grandchild ]; do sleep 0.05; done
	kill $held; wait $held; code=$?; check "a signal ends the command, too" [ $code -ge 128 ]
	sleep 0.2; check "with what it started" sh -c "! grep -q 'State:.*[RSD] ' /proc/$(cat grandchild)/status 2>/dev/null"
	exits 0 "a parent that ignores its children's end does no harm" timeout 20 env --ignore-signal=CHLD $fsck --preflight --for-kernel=6.18.44 --exec "$work/race.erofs" -- true
	mkdir tm; mount -t ramfs ramfs tm 2>/dev/null && { cp a.erofs tm/; $fsck --preflight --for-kernel=6.18.44 --exec "$work/tm/a.erofs" -- true >o 2>&1; ok $? "other file systems can be held, too"; umount tm; }
else skip "needs root" "files that are held"; fi

# ---- what it costs ----

if can_mount; then
	probe_cost() { # IMAGE WAY-NAME MOUNT-SOURCE OPTIONS DEVICE-OR-EMPTY
		predicted=$($fsck --preflight --json "$work/$1" | jq -r --arg w "$2" '.advice[] | select(.way == $w) | "\(.pages.file) \(.pages.device) \(.pages.total)"')
		sync; echo 3 >/proc/sys/vm/drop_caches
		$mountimg "$3" "$mnt" ${4:+"$4"}; content=$($tools/cached -r "$mnt"); below=$($tools/cached "$1"); device=0; [ -n "$5" ] && device=$($tools/cached "$5"); umount "$mnt"
		measured="$below $device $((below + device + content))"
		echo "# $1 by $2: predicted $predicted, measured $measured (file below, device, all)"
		close=$(printf '%s %s\n' "$predicted" "$measured" | awk '{ bad = 0; for (i = 1; i <= 3; i++) { d = $i - $(i + 3); if (d < 0) d = -d; if (d > 0.05 * $(i + 3) && d > 4) bad = 1 } print bad }')
		check "$1 by $2: pages within 5 %" [ "$close" = 0 ]
	}
	mkdir u; cp -a t u/1; cp -a /usr/share/perl5 u/2 2>/dev/null; head -c 20000000 /dev/urandom >u/blob; for i in 1 2 3 4 5 6; do seq $i 400000 >u/text$i; done
	$mkfs --quiet raw.erofs u; $mkfs --quiet -zlz4 enc.erofs u
	for i in raw enc; do
		probe_cost $i.erofs "file" $i.erofs "" ""; probe_cost $i.erofs "file, direct I/O" $i.erofs directio ""
		loop=$(losetup -r -f --show $i.erofs); probe_cost $i.erofs "loop" "$loop" "" "$loop"; losetup -d "$loop"
		if loop=$(losetup -r --direct-io=on -f --show $i.erofs 2>/dev/null) && [ "$(cat /sys/block/${loop#/dev/}/loop/dio)" = 1 ]; then
			probe_cost $i.erofs "loop, direct I/O" "$loop" "" "$loop"; else skip "no direct I/O by loop devices here" "$i by loop, direct I/O"; fi
		[ -n "$loop" ] && losetup -d "$loop"
	done
else skip "needs root, and a kernel that mounts files" "what it costs"; fi
finish
