# Every system call and every allocation fails once: one sentence, the old image as it was, nothing left lying about; or the
# failure did no harm, and the result is the right one.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
# every call of one process: the sandbox would be another
mkfs="$mkfs --sandbox=off" dump="$dump --sandbox=off" plain_fsck=$fsck; fsck="$fsck --sandbox=off"
mkdir -p t/d; echo hello >t/a; ln t/a t/hard; ln -s a t/link; seq 1 20000 >t/d/text; cp t/d/text t/d/copy; head -c 5000 /dev/urandom >t/d/noise
setfattr -n user.x -v y t/a; truncate -s 300000 t/d/hole; echo end >>t/d/hole; mkfifo t/fifo
tar -cf t.tar t
fixed="-T1000 -U clear --workers=1"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 # leaks are not looked for under ptrace

# what a run left: the reference, or the old image and one sentence on standard error; never a crash or another file
right() { # CODE REFERENCE
	[ "$(ls -A dir)" = target ] || { echo "left: $(ls -A dir)"; return 1; }
	[ "$1" -ne 127 ] || return 0 # the loader could not even start it
	[ "$1" -lt 126 ] || { echo "exit code $1"; return 1; }
	if [ "$1" -eq 0 ]; then cmp dir/target "$2"; return; fi
	cmp dir/target old && [ "$(grep -vc '^strace: ' said)" -eq 1 ] || { echo "exit code $1, said:"; cat said; return 1; }
}
# what may come of reading an image; each takes the exit code
checked() { # a checker that cannot read says so, and does not call the image damaged
	case $1 in 0) [ ! -s said ] ;; 8) [ "$(wc -l <said)" -eq 1 ] ;; *) false ;; esac
}
extracted() { # without an error the tree is whole, and errors are said
	case $1 in 0) [ ! -s said ] && diff -r --no-dereference --exclude=fifo t to >/dev/null ;; 4 | 8 | 12 | 16) [ -s said ] ;; *) false ;; esac
}
documented() { # without an error the document is whole
	case $1 in 0) [ ! -s said ] && cmp -s out document ;; 1 | 8 | 16) [ -s said ] ;; *) false ;; esac
}
# calls COMMAND…: "NAME COUNT-BEFORE COUNT", the system calls of its main thread once its libraries have made themselves ready
calls() {
	strace -f -qq -o trace "$@" >/dev/null 2>&1
	main=$(head -n 1 trace | awk '{print $1}')
	awk -v main="$main" '$1 == main && $2 ~ /^[a-z0-9_]+\(/ { name = $2; sub(/\(.*/, "", name); if (/\.so|selinux|proc\/filesystems/) started = NR; n[name]++; line[NR] = name; count[NR] = n[name] }
		END { for (l in line) if (l + 0 > started) { name = line[l]; if (!(name in low) || count[l] < low[name]) low[name] = count[l]; if (count[l] > high[name]) high[name] = count[l] }
			for (name in low) print name, low[name] - 1, high[name] }' trace | sort
}
# errors that such a call may give
errors() {
	case $1 in
	pwrite64 | write | ftruncate | fallocate | copy_file_range | linkat | renameat | renameat2 | rename | unlinkat) echo "ENOSPC EIO" ;;
	fsync | fdatasync | sync_file_range | pread64 | sendfile | read | getdents64 | lseek | readlinkat) echo "EIO EINTR" ;;
	openat) echo "EMFILE EACCES EINTR" ;;
	fstat | newfstatat | statx | lgetxattr | llistxattr | fgetxattr | flistxattr | mkdirat | symlinkat | mknodat | fchmod | fchmodat | fchown | fchownat | utimensat | fsetxattr | lsetxattr) echo EIO ;;
	mmap | clone | clone3) [ -n "$sanitized" ] || echo ENOMEM ;;
	esac
}
# every call of a command fails once with each error; too many of a kind are sampled
each() { # NAME REFERENCE COMMAND…
	label=$1 reference=$2; shift 2
	"$@" >/dev/null 2>&1; cp dir/target "$reference"
	calls "$@" >list
	tried=0; : >why
	while read -r call before last; do
		for error in $(errors $call); do
			step=$(((last - before + ${ERO_FAULTS:-8} - 1) / ${ERO_FAULTS:-8})); [ $step -ge 1 ] || step=1
			n=$((before + 1))
			while [ $n -le $last ]; do
				cp old dir/target
				strace -f -qq -o /dev/null -e inject=$call:error=$error:when=$n "$@" >out 2>said; code=$?
				tried=$((tried + 1))
				right $code "$reference" >what || { echo "$call $n: $error: $(cat what)"; rm -rf dir; mkdir dir; } >>why
				n=$((n + step))
			done
		done
	done <list
	[ $tried -gt 20 ] || echo "only $tried calls were tried" >>why
	test ! -s why; ok $? "$label: $tried failing system calls"
}
mkdir dir; echo "the old image" >old
if ! strace -o /dev/null true 2>/dev/null; then
	for name in "a directory" "dense" "an archive" "an extraction" "a salvage" "a check" "a check of plain data" "the same where files cannot be sent"; do skip "strace cannot trace here" "$name: failing system calls"; done
else
	cp old dir/target
	each "a directory" plain.ref $mkfs --quiet $fixed dir/target t
	[ -n "$sanitized" ] || each "compressed" lz4.ref $mkfs --quiet $fixed -zlz4 -C16384 -Efragments,dedupe dir/target t
	each "dense" dense.ref $mkfs --quiet $fixed --preset=dense dir/target t
	[ -n "$sanitized" ] || each "an archive" tar.ref $mkfs --quiet $fixed --tar=f dir/target t.tar
	calls_of() { # NAME JUDGE SAMPLES COMMAND…: its system calls fail; $more: another option of strace
		label=$1 judge=$2 samples=$3; shift 3
		: >why; tried=0; rm -rf to
		calls "$@" >list
		while read -r call before last; do
			for error in $(errors $call); do
				for n in $(seq $((before + 1)) $(((last - before) / samples + 1)) $last); do
					rm -rf to
					strace -f -qq -o /dev/null -e inject=$call:error=$error:when=$n ${more:-} "$@" >out 2>said; code=$?
					tried=$((tried + 1))
					[ $code -eq 127 ] || $judge $code || echo "$call $n: $error: $code: $(head -n 2 said)" >>why
				done
			done
		done <list
		test ! -s why && [ $tried -gt 10 ]; ok $? "$label: $tried failing system calls"
	}
	calls_of "an extraction" extracted 4 $fsck -d1 --extract=to --workers=1 plain.ref
	calls_of "a salvage" extracted 4 $fsck -d1 --salvage=to --workers=1 plain.ref
	calls_of "a check" checked 12 $fsck -d1 --extract --workers=1 dense.ref
	calls_of "a check of plain data" checked 12 $fsck -d1 --extract --workers=1 plain.ref
	more=--inject=sendfile:error=EINVAL
	calls_of "the same where files cannot be sent" checked 12 $fsck -d1 --extract --workers=1 plain.ref
fi

# power loss: what the name leads to is on stable storage before it does, and the name itself before the end
if ! strace -o /dev/null true 2>/dev/null; then skip "strace cannot trace here" "writes, sync, rename, sync of the directory"; else
	for form in "" "-zlz4" "--preset=dense --verity"; do
		cp old dir/target
		strace -f -qq -y -o trace -e trace=pwrite64,write,copy_file_range,ftruncate,fsync,fdatasync,renameat,renameat2,linkat $mkfs --quiet $fixed $form dir/target t
		# behind the name of a sealed image its root hash is written, to a file of its own
		awk -v sealed="$(case $form in *verity*) echo 1;; esac)" '/\/dir\/(#|\.)/ && /(pwrite64|write|copy_file_range|ftruncate)\(/ { if (sealed && named) next; if (synced || named) late = 1; wrote = 1 }
			/f(data)?sync\(/ && /\/dir\/(#|\.)/ { synced = 1 }
			/renameat2?\(/ && /"target"/ { if (!synced) early = 1; named = 1 }
			/fsync\(/ && /\/dir>/ { if (named) settled = 1 }
			END { if (late) print "written after the sync"; if (early) print "named before the sync"; if (!wrote || !named || !settled) print "not seen: " wrote " " named " " settled }' trace >why
		test ! -s why; ok $? "writes, sync, rename, sync of the directory: \"$form\""; rm -f dir/target.roothash
	done
fi

# allocations
if [ -n "$sanitized" ] || [ ! -e "$bin/tests/system/failalloc.so" ]; then skip "sanitizers bring an allocator of their own" "failing allocations"; else
	allocations() { # NAME REFERENCE COMMAND…
		label=$1 reference=$2; shift 2
		FAILALLOC_COUNT=count LD_PRELOAD=$bin/tests/system/failalloc.so "$@" >/dev/null 2>&1; count=$(cat count)
		cp dir/target "$reference"
		step=$((count / ${ERO_FAULTS_MEMORY:-150} + 1)); tried=0; : >why
		for n in $(seq 40) $(seq 41 $step $count); do # options and what is opened come first
			cp old dir/target
			FAILALLOC=$n LD_PRELOAD=$bin/tests/system/failalloc.so "$@" >out 2>said; code=$?
			tried=$((tried + 1))
			right $code "$reference" >what || { echo "allocation $n: $(cat what)"; rm -rf dir; mkdir dir; } >>why
		done
		test ! -s why && [ $tried -gt 50 ]; ok $? "$label: $tried of $count allocations fail"
	}
	allocations "a directory" plain.ref $mkfs --quiet $fixed dir/target t
	allocations "dense" dense.ref $mkfs --quiet $fixed --preset=dense dir/target t
	allocations "Zstandard pclusters" zstd.ref $mkfs --quiet $fixed -zzstd -C65536 -Efragments --exclude-path=none dir/target t
	allocations "an archive" tar.ref $mkfs --quiet $fixed --tar=f dir/target t.tar
	: >why; FAILALLOC_COUNT=count LD_PRELOAD=$bin/tests/system/failalloc.so $fsck --extract --workers=1 dense.ref >/dev/null; count=$(cat count)
	for n in $(seq 1 $((count / 150 + 1)) $count); do
		FAILALLOC=$n LD_PRELOAD=$bin/tests/system/failalloc.so $fsck -d1 --extract --workers=1 dense.ref >out 2>said; code=$?
		case $code in 0) [ ! -s said ] ;; 8 | 16) [ "$(wc -l <said)" -eq 1 ] ;; *) false ;; esac || echo "allocation $n: $code: $(head -n 2 said)" >>why
	done
	test ! -s why; ok $? "a check: allocations fail"
	each_allocation() { # NAME JUDGE COMMAND…
		label=$1 judge=$2; shift 2
		rm -rf to; FAILALLOC_COUNT=count LD_PRELOAD=$bin/tests/system/failalloc.so "$@" >document; count=$(cat count)
		: >why
		for n in $(seq $count); do
			rm -rf to
			FAILALLOC=$n LD_PRELOAD=$bin/tests/system/failalloc.so "$@" >out 2>said; code=$?
			$judge $code || echo "allocation $n: $code: $(head -n 2 said)" >>why
		done
		test ! -s why && [ $count -gt 30 ]; ok $? "$label: each of $count allocations fails"
	}
	each_allocation "fsck --json" documented $fsck --json zstd.ref
	each_allocation "dump --json" documented $dump --json -S zstd.ref
	each_allocation "dump --json --ls" documented $dump --json --ls --path=/ zstd.ref
	each_allocation "an extraction" extracted $fsck -d1 --extract=to --workers=1 zstd.ref
	each_allocation "a salvage" extracted $fsck -d1 --salvage=to --workers=1 zstd.ref
fi

# reads and writes that do only a part, or are interrupted
if [ -n "$sanitized" ] || [ ! -e "$bin/tests/system/shortio.so" ]; then skip "sanitizers wrap these calls themselves" "short reads and writes"; else
	short="env LD_PRELOAD=$bin/tests/system/shortio.so"
	$short $mkfs --quiet $fixed short.img t; same "a directory by short reads and writes" plain.ref short.img
	$short $mkfs --quiet $fixed -zlz4 -C16384 -Efragments,dedupe short.img t; same "compressed" lz4.ref short.img
	$short $mkfs --quiet $fixed --tar=f short.img - <t.tar; same "an archive" tar.ref short.img
	$short $mkfs --quiet $fixed --preset=dense - t >piped; same "into a pipe" dense.ref piped
	check "a check" $short $fsck -d1 --extract dense.ref
	check "a check of plain data" $short $fsck -d1 --extract plain.ref
	check "an extraction" sh -c "$short $fsck -d1 --extract=short.dir dense.ref && diff -r --no-dereference --exclude=fifo t short.dir"
fi
finish
