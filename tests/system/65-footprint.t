# dump.erofs --footprint and --map: what is predicted is what a cold mount reads; layouts keep their promises.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
real_tree t >/dev/null
resident=$bin/tests/bench/resident
img=i.erofs
pages() { "$dump" --json --footprint $img | jq ".$1"; }
for options in "" "-zlz4hc" "--layout=walk" "--layout=legacy" "-zlz4 -Eztailpacking" "-b1024" "-Eforce-inode-extended" "--preset=dense"; do
	check "builds with \"$options\"" $mkfs --quiet $options $img t
	check "--footprint reads it" sh -c "$dump --footprint $img | grep -q 'stat (and lstat)'"
	check "no inode crosses a page" sh -c "test $(pages straddling_inodes) -eq 0"
	for walk in names stat xattr; do
		if can_mount; then
			predicted=$(pages pages.$walk) measured=$($resident $img "$mnt" $walk | cut -d' ' -f1)
			# blocks below a page are read with the host's readahead, which goes past the last one by a few windows
			[ "$options$walk" = -b1024names ] && [ "$measured" -le $((predicted + 128)) ] && measured=$predicted
			echo "predicted $predicted, measured $measured" >why
			[ "$measured" -gt 0 ] && [ $(((predicted - measured) * 100)) -le $((measured * 3)) ] && [ $(((measured - predicted) * 100)) -le $((measured * 3)) ]
			ok $? "$walk: within 3 % of what a mount reads"
		else skip "$why_not" "$walk: within 3 % of what a mount reads"; fi
	done
done
check "dense: no metadata page holds file data" test "$(pages metadata_pages_with_data)" -eq 0
check "dense: stat is at most 1.15 of the floor" test $(($(pages pages.stat) * 100)) -le $(($(pages floor_pages) * 115))
check "dense: 95 % of small files lie in one line" test $(($(pages small_files_in_one_line) * 100)) -ge $(($(pages small_files) * 95))
if is_root && command -v setfattr >/dev/null; then
	find t -exec setfattr -h -n security.selinux -v system_u:object_r:any_t:s0 {} +
	$mkfs --quiet --preset=dense $img t
	check "so with a label on each" test $(($(pages small_files_in_one_line) * 100)) -ge $(($(pages small_files) * 95))
else skip "needs root and setfattr" "so with a label on each"; fi
$mkfs --quiet $img t; default=$(pages pages.stat); size=$(stat -c %s $img)
$mkfs --quiet --layout=legacy $img t; legacy=$(pages pages.stat) small=$(stat -c %s $img)
$mkfs --quiet --layout=walk $img t; walk=$(pages pages.stat)
check "the default reads fewer pages than legacy ($default, $legacy), and walk a fraction ($walk)" test "$default" -lt "$legacy" -a $((walk * 4)) -lt "$legacy"
check "for at most 1 % of size" test $((size * 100)) -le $((small * 101))
check "--layout=walk says what it costs" sh -c "$mkfs --layout=walk $img t 2>&1 >/dev/null | grep -q 'bytes more than with inline tails'"
check "--map draws it" sh -c "$dump --map=text $img | grep -q '^ *0 S'"
fails 1 'text is the only form' "--map has one form" $dump --map=html $img
fails 1 'there are dense' "an unknown layout" $mkfs --layout=best $img t
finish
