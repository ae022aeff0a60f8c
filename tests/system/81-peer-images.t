# Images that erofs-utils 1.9.4 made, whatever version is installed, are clean to us, and hold what they were made of. All of the same
# generated tree; tests/corpus/peer/tree.sum says what is in it. A kernel that mounts them says the same.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
images=$ERO_SOURCE/tests/corpus/peer
while read -r image options; do
	check "mkfs.erofs $options: is clean" $fsck -d1 --extract "$images/$image.erofs"
	check "mkfs.erofs $options: is understood by dump" $dump -S --footprint "$images/$image.erofs"
	if is_root; then check "mkfs.erofs $options: extracts to the source" extracted_equals "$images/$image.erofs" "$images/tree.sum"
	else skip "needs root to give files their owners" "mkfs.erofs $options: extracts to the source"; fi
done <<'END'
fragments -zlz4hc -C8192 -Efragments
tails -zlz4 -C8192 -Eztailpacking,fragments
all-fragments -zzstd -C65536 -Eall-fragments,dedupe
full-index -zdeflate -C8192 -Elegacy-compress,fragments
lzma -zlzma -C8192 -Eztailpacking,dedupe
directories -zlz4hc -Efragments --zD=1
metabox -zzstd -C8192 -E48bit -m4096
wide -zzstd -C8192 -E48bit,dot-omitted,fragments --MZ=id
END
for image in fragments tails full-index; do # read by every kernel that mounts files at all
	if can_mount; then check "$image: the kernel reads the same" mounted_equals "$images/$image.erofs" "$images/tree.sum"
	else skip "$why_not" "$image: the kernel reads the same"; fi
done
finish
