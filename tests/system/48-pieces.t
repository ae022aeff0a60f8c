# The image file lies in few pieces on the file system below, though its metadata is written last, and takes no more space than it is long.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
names="the image lies in few pieces and takes no more space than it is long"
pieces() { filefrag "$1" | sed 's/.*: \([0-9]*\) extent.*/\1/'; }
made() { # TYPE: a new file system at fs, or a reason in why
	truncate -s 0 fs.img; truncate -s 700M fs.img
	case $1 in
	tmpfs) mount -t tmpfs -o size=500m tmpfs fs ;;
	*) mkfs.$1 -q fs.img >why 2>&1 && mount -o loop fs.img fs 2>why ;;
	esac
}
if is_root; then
	mkdir t fs
	perl -e 'srand 5; for my $d (1 .. 40) { mkdir "t/$d"; for my $f (1 .. 100) { open my $o, ">", "t/$d/$f"; print $o map { int(rand 1e9) . "\n" } 1 .. 1500 + rand 1500 } }'
	for type in ext4 xfs btrfs tmpfs; do
		if ! made $type; then skip "no $type here: $(head -c 80 why)" "$type: $names"; continue; fi
		for o in "" -zlz4; do
			check "$type, \"$o\": built" $mkfs --quiet $o fs/image t
			size=$(stat -c %s fs/image)
			check "$type, \"$o\": longer than what is written back at once" test $size -gt 40000000
			check "$type, \"$o\": no more space than it is long" test $(($(stat -c '%b * %B' fs/image))) -le $((size + 65536))
			[ $type = tmpfs ] || check "$type, \"$o\": few pieces" test "$(pieces fs/image)" -le 12
			check "$type, \"$o\": sound" $fsck -d1 fs/image
		done
		umount fs
	done
	# where there is room for the image, but not for what is taken ahead
	mount -t tmpfs -o size=$((size / 1048576 + 2))m tmpfs fs
	check "a full file system: built" $mkfs --quiet -zlz4 fs/image t
	check "a full file system: sound" $fsck -d1 fs/image
	rm fs/image; mount -o remount,size=$((size / 1048576 - 2))m fs
	fails 1 'no space left' "too little space is an error" $mkfs --quiet -zlz4 fs/image t
	check "which leaves nothing" test -z "$(ls -A fs)"
	umount fs
else skip "needs root to mount file systems" "$names"; fi
finish
