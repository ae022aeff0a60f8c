# What the system tests share: TAP, trees, mounts. Source it first; tests run with `sh`.
# Everything a test makes lies in $work, which is removed at the end, mounts first.
set -u
: "${ERO_BUILD:?set ERO_BUILD to the build directory}" "${ERO_SOURCE:?set ERO_SOURCE to the source directory}"
bin=$ERO_BUILD
mkfs=$bin/mkfs.erofs fsck=$bin/fsck.erofs dump=$bin/dump.erofs
treesum=$bin/tests/system/treesum mountimg=$bin/tests/system/mountimg
work=$(mktemp -d "${ERO_WORK:-/var/tmp}/erolith.XXXXXX") || exit 1
mnt=$work/mnt
mkdir "$mnt"
umask 022
# Sanitizers cost time and threads, and cannot do without /proc or with preloaded libraries: 1 in such a build, else empty.
sanitized=$(grep -q __asan_init "$mkfs" && echo 1)
test_number=0

cleanup() {
	cd /
	grep -F " $work" /proc/self/mountinfo | awk '{print $5}' | sort -r | while read -r m; do umount "$m"; done
	chmod -R u+rwx "$work" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

ok() { # RESULT NAME
	test_number=$((test_number + 1))
	if [ "$1" -eq 0 ]; then echo "ok $test_number - $2"; else
		echo "not ok $test_number - $2"
		[ -s "$work/why" ] && sed 's/^/# /' "$work/why" | head -n 20
	fi
	rm -f "$work/why"
}
skip() { # REASON NAME
	test_number=$((test_number + 1))
	echo "ok $test_number - $2 # SKIP $1"
}
finish() { echo "1..$test_number"; }

# check NAME COMMAND…: ok if the command succeeds; its output is the reason if it does not.
check() {
	name=$1; shift
	"$@" >"$work/why" 2>&1
	code=$?
	[ $code -eq 0 ] || echo "exit code $code: $*" >>"$work/why"
	ok $code "$name"
}
# fails CODE PATTERN NAME COMMAND…: ok if it exits with CODE, one line of standard error matches, and it is one line.
fails() {
	want=$1 pattern=$2 name=$3; shift 3
	"$@" >"$work/out" 2>"$work/why"
	code=$?
	lines=$(grep -cv '^Try ' "$work/why")
	[ $code -eq "$want" ] && grep -qiE -- "$pattern" "$work/why" && [ "$lines" -eq 1 ]
	result=$?
	[ $result -eq 0 ] || echo "exit code $code, wanted $want and one line like \"$pattern\"" >>"$work/why"
	ok $result "$name"
}
# same NAME A B: two files are equal.
same() { check "$1" sh -c 'cmp "$1" "$2" || { diff "$1" "$2" | head -n 10; exit 1; }' - "$2" "$3"; }

is_root() { [ "$(id -u)" -eq 0 ]; }
# Can this kernel mount a file-backed EROFS? Said once, as the reason of skips.
can_mount() {
	is_root || { why_not="needs root to mount"; return 1; }
	[ -n "${mount_known:-}" ] && return "$mount_known"
	mkdir -p "$work/empty"
	$mkfs --quiet "$work/probe.erofs" "$work/empty"
	if $mountimg "$work/probe.erofs" "$mnt" 2>/dev/null; then umount "$mnt"; mount_known=0
	else mount_known=1 why_not="this kernel does not mount EROFS from a file ($(uname -r))"; fi
	return $mount_known
}
sum() { # DIR > lines; link counts of directories differ between file systems
	$treesum -d "$@"
}
# mounted_equals IMAGE SUMFILE [OPTIONS]: the mounted tree is the one whose sum is given.
mounted_equals() {
	$mountimg "$1" "$mnt" ${3:+"$3"} || return 1
	sum "$mnt" >"$work/mounted.sum"
	code=$?
	umount "$mnt"
	[ $code -eq 0 ] || return 1
	cmp "$2" "$work/mounted.sum" || { diff "$2" "$work/mounted.sum" | head -n 6; return 1; }
}
# extracted_equals IMAGE SUMFILE: so is the extracted one.
extracted_equals() {
	rm -rf "$work/extracted"
	$fsck -d1 --xattrs --extract="$work/extracted" "$1" || return 1
	sum "$work/extracted" >"$work/extracted.sum" || return 1
	rm -rf "$work/extracted"
	cmp "$2" "$work/extracted.sum" || { diff "$2" "$work/extracted.sum" | head -n 6; return 1; }
}
# A real tree of moderate size, made from this system: binaries, scripts, text, links.
real_tree() { # DIR
	mkdir -p "$1"
	cp -a /etc "$1/etc" 2>/dev/null
	cp -a /usr/share/perl5 "$1/perl5" 2>/dev/null
	mkdir "$1/bin"
	find /usr/bin -maxdepth 1 \( -type f -o -type l \) | LC_ALL=C sort | head -n 150 | while read -r f; do cp -a "$f" "$1/bin/"; done
	cp -a /usr/share/zoneinfo/Europe "$1/zones" 2>/dev/null
	:
}
