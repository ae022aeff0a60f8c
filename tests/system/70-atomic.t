# The target is the old image or the new one, and the new one is always the same.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
real_tree t >/dev/null
fixed="-T1000 -U clear"
$mkfs --quiet $fixed -zlz4 --workers=2 a.erofs t
for w in 1 3 8; do
	$mkfs --quiet $fixed -zlz4 --workers=$w b.erofs t
	same "$w workers make the same bytes" a.erofs b.erofs
done
for o in "" "-zzstd -C65536 -Eztailpacking" "--chunksize=4096" "-b1024 -zlz4hc,1"; do
	$mkfs --quiet $fixed $o --workers=1 c.erofs t; $mkfs --quiet $fixed $o --workers=4 b.erofs t
	same "so with \"$o\"" c.erofs b.erofs
done
if is_root; then # another order of readdir, another file system
	mkdir tm; mount -t tmpfs -o size=2g tmpfs tm; mkdir tm/t
	(cd t && find . -depth | LC_ALL=C sort -r | cpio -pdm --quiet ../tm/t 2>/dev/null) || cp -a t/. tm/t/
	cp -a --attributes-only t/. tm/t/ 2>/dev/null; cp -a t/. tm/t/
	$mkfs --quiet $fixed -zlz4 b.erofs tm/t
	same "a copy on tmpfs makes the same bytes" a.erofs b.erofs
	umount tm
else skip "needs root to mount a tmpfs" "a copy on tmpfs makes the same bytes"; fi
if is_root; then # each file system lists names in an order of its own
	mkdir fs r; for i in $(seq 200); do echo $i >r/file-$i; done; cp -a t/* r/ 2>/dev/null; $mkfs --quiet $fixed -zlz4 --preset=compat r.erofs r
	for type in ext4 xfs btrfs; do
		truncate -s 0 fs.img; truncate -s 1500M fs.img
		if ! mkfs.$type -q fs.img >/dev/null 2>&1 && ! mkfs.$type -f fs.img >/dev/null 2>&1; then skip "there is no mkfs.$type" "a copy on $type makes the same bytes"; continue; fi
		if ! mount -o loop fs.img fs 2>why; then skip "this kernel does not mount $type: $(head -c 80 why)" "a copy on $type makes the same bytes"; continue; fi
		mkdir fs/r; cp -a r/. fs/r/; touch -r r fs/r
		$mkfs --quiet $fixed -zlz4 --preset=compat b.erofs fs/r
		same "a copy on $type makes the same bytes" r.erofs b.erofs
		umount fs
	done
	chmod -R a+rX r; $mkfs --quiet $fixed -zlz4 -x-1 r.erofs r; mkdir nobody; chown 65534 nobody; chmod 755 "$work"
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	if $as_nobody test -x "$mkfs" 2>/dev/null; then
		check "another user can build" $as_nobody sh -c "cd nobody && $mkfs --quiet $fixed -zlz4 -x-1 b.erofs ../r"
		same "and makes the same bytes" r.erofs nobody/b.erofs
	else skip "other users may not enter the build directory" "another user makes the same bytes"; fi
	rm -rf r fs.img
else skip "needs root to mount file systems" "copies on ext4, xfs and btrfs make the same bytes"; fi
# attributes met in another order
mkdir o1 o2
for d in o1 o2; do order="1 2 3 4 5 6 7 8 9"; [ $d = o2 ] && order="9 8 7 6 5 4 3 2 1"
	for n in $order; do echo $n >$d/$n; setfattr -n user.s$((n % 3)) -v $((n % 3)) $d/$n; done; ln $d/5 $d/hard; touch -d@5 $d $d/*; done
$mkfs --quiet $fixed -x0 --exclude-path=none o1.erofs o1; $mkfs --quiet $fixed -x0 o2.erofs o2
same "shared xattrs and links do not show the order of creation" o1.erofs o2.erofs
(umask 077; TZ=Asia/Tokyo LC_ALL=C.UTF-8 $mkfs --quiet $fixed -zlz4 b.erofs t)
same "umask, time zone and locale do not matter" a.erofs b.erofs

# killed at any moment of the time that it takes
took=$(perl -MTime::HiRes=time -e '$start = time; system @ARGV; print time - $start' $mkfs --quiet $fixed -zlz4 k.erofs t)
echo old >k.erofs; cp k.erofs old; bad=0; new=0
for i in $(seq 1 ${ERO_KILLS:-25}); do
	$mkfs --quiet $fixed -zlz4 k.erofs t & pid=$!
	perl -e "select undef, undef, undef, rand($took)"
	kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
	if cmp -s k.erofs a.erofs; then new=$((new + 1)); cp old k.erofs
	elif ! cmp -s k.erofs old; then bad=$((bad + 1)); echo "round $i: neither old nor new" >>why; fi
done
ok $bad "killed at any moment, the target is whole: old or new"
check "they were killed before their end, all but $new" test $new -lt ${ERO_KILLS:-25}
$mkfs --quiet $fixed -zlz4 k.erofs t # finds what was left between two system calls
check "and no temporary file is left by the next" sh -c 'test -z "$(ls -A | grep "tmp$")"'

# a link is followed to the file it names; modes of an old image stay
$mkfs --quiet $fixed real.erofs t; chmod 640 real.erofs; ln -s real.erofs named; $mkfs --quiet $fixed -zlz4 named t
check "a symbolic link as target stays one" test -L named
same "and its file is replaced" real.erofs a.erofs
check "with its mode" test "$(stat -c %a real.erofs)" = 640

# a file that changes while it is read
mkdir c; for i in $(seq 1 300); do head -c 20000 /dev/urandom >c/$i; done
(while :; do for i in $(seq 1 300); do echo x >>c/$i; done; done) & writer=$!
for i in 1 2 3 4 5; do $mkfs --quiet g.erofs c 2>warnings; code=$?; grep -q 'changed while' warnings && break; done
kill $writer; wait $writer 2>/dev/null
check "changing files are warned of, not fatal" test $code -eq 0
check "by name" grep -q 'changed while it was read' warnings
check "and the image is sound" $fsck -d1 --extract g.erofs

# what is a copy of such a file keeps its own content
mkdir o; for i in $(seq 1 60); do head -c 150000 /dev/urandom | base64 >o/a$i; { echo further; cat o/a$i; } >o/b$i; { cat o/b$i; echo end; } >o/c$i; done
mkdir copies; cp o/b* o/c* copies; sum copies | sed 's/ [0-9]*\.[0-9]* / /; /^\. /d' >copies.sum
for form in "--preset=dense --extent-size=65536" "-zlz4 -C16384" "-zlz4 -C16384 -Eall-fragments"; do
	(while :; do for i in $(seq 1 60); do printf '%s' "$i$i$i$i" | dd of=o/a$i bs=1 seek=$((i * 1000)) conv=notrunc 2>/dev/null; done; done) & writer=$!
	for i in 1 2 3 4 5 6 7 8; do $mkfs --quiet $form -Ededupe g.erofs o 2>warnings; grep -q 'changed while' warnings && break; done
	kill $writer; wait $writer 2>/dev/null
	check "$form: originals changed" grep -q 'changed while' warnings
	rm -rf x; $fsck -d0 --extract=x g.erofs && rm x/a*; sum x | sed 's/ [0-9]*\.[0-9]* / /; /^\. /d' >x.sum
	same "$form: copies did not" copies.sum x.sum
done

if is_root && losetup -f >/dev/null 2>&1; then
	truncate -s 64M disk; loop=$(losetup -f --show disk)
	check "a block device is written in place" $mkfs --quiet $fixed -zlz4 "$loop" t
	head -c $(stat -c %s a.erofs) disk >first
	same "with the same bytes" first a.erofs
	check "and read" $fsck -d1 --extract "$loop"
	losetup -d "$loop"
	truncate -s 1M disk; loop=$(losetup -f --show disk)
	fails 1 'needs|space' "one that is too small is refused" $mkfs --quiet "$loop" t
	losetup -d "$loop"
else skip "needs root and a loop device" "a block device is written in place"; fi
finish
