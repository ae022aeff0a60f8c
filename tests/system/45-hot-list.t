# --hot-list: what it names lies first, what leads there, too; --align-data.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
t=t; mkdir -p $t/real/deep $t/cold
for d in $(seq 60); do mkdir $t/cold/d$d; for i in $(seq 30); do echo "file $i of $d" >$t/cold/d$d/f$i; done; done
seq 5000 >$t/real/deep/target; echo small >$t/real/small; ln -s real $t/way; ln -s /way/deep/target $t/abs
mkdir $t/many; for i in $(seq 1000); do : >$t/many/name-$i; done
seq 100000 >$t/zlast; sum $t >t.sum
img=i.erofs
nid() { "$dump" --json --path="$1" $img | jq .nid; }
pages() { for p in "$@"; do echo $(($(nid "$p") / 128)); done | sort -u | wc -l; }
printf '/zlast\nway/small\n./abs\n/cold/d59/f7\n/not/there\n' >list
printf '/way/../zlast\nabs\nmany/name-500\nmany/name-5000\ncold/d3/f7/x\ncold/d40/f30\n/\n' >others
cost() { "$dump" --json --footprint --hot-list="$1" $img | jq -e "$2"; } # LIST FILTER
costs_as_predicted() { # LIST: as many pages as are predicted, and few more that are read ahead
	predicted=$(cost $1 .pages.list) measured=$("$bin/tests/bench/resident" $img $mnt paths=$1 | cut -d' ' -f1)
	echo "predicted $predicted, measured $measured"
	[ "$measured" -ge "$predicted" ] && [ "$measured" -le $((predicted + 8)) ]
}
for options in "" "-zlz4hc" "--preset=dense"; do
	check "builds with \"$options\"" sh -c "$mkfs $options --hot-list=list $img $t 2>&1 | grep -q '1 of the 5 paths of the hot list are not in the source'"
	check "is clean" $fsck -d1 --extract $img
	if can_mount; then check "mounts and reads back the same" mounted_equals $img t.sum; else skip "$why_not" "mounts and reads back the same"; fi
	check "the inodes of hot files share two pages at most" test "$(pages /zlast /real/small /real/deep/target /cold/d59/f7 /way /abs)" -le 2
	check "so do those of the directories that lead to them" test "$(pages /real /real/deep /cold/d59)" -le 2
	check "what is missing is counted" sh -c "test \"$(cost list '[.list_paths, .list_missing]' | jq -c)\" = '[5,1]' && test \"$(cost others '[.list_paths, .list_missing]' | jq -c)\" = '[7,2]'"
	check "the list costs five pages at most, others more" test $(cost list .pages.list) -le 5 -a $(cost others .pages.list) -gt $(cost list .pages.list)
	for which in list others; do
		if can_mount; then check "a stat of $which reads what is predicted" costs_as_predicted $which; else skip "$why_not" "a stat of $which reads what is predicted"; fi
	done
done
check "with -m, too" sh -c "$mkfs --quiet --preset=dense -m4096 --hot-list=list metabox.erofs $t && $dump --footprint --hot-list=others metabox.erofs | grep -q 'of the 7 paths of the list 2 lead nowhere'"
fails 1 'needs --footprint' "dump: a list without a footprint" $dump --hot-list=list $img
fails 1 'cannot open the list of paths' "dump: a list that is missing" $dump --footprint --hot-list=nowhere $img
$mkfs --quiet -zlz4 --hot-list=list --hot-data $img $t
first() { "$dump" --json -e --path="$1" $img | jq '.extents[0].physical'; }
check "--hot-data: their data comes first, in order" test "$(first /zlast)" -lt "$(first /real/deep/target)"
$mkfs --quiet -T0 -U clear --preset=dense --hot-list=list --hot-data --workers=1 one.erofs $t
$mkfs --quiet -T0 -U clear --preset=dense --hot-list=list --hot-data --workers=4 $img $t
same "the same bytes with 1 and 4 workers" one.erofs $img
check "dense with hot data: hot files are first in the packed inode" test "$(first /real/small)" -lt "$(first /cold/d1/f1)"
$mkfs --quiet --align-data=65536 $img $t
check "--align-data" test $(($(first /zlast) % 65536)) -eq 0
fails 1 'no multiple' "--align-data by bytes that are no blocks" $mkfs --align-data=1000 $img $t
fails 1 'cannot open the hot list' "a hot list that is missing" $mkfs --hot-list=nowhere $img $t
fails 1 'needs a --hot-list' "--hot-data alone" $mkfs --hot-data $img $t
: >empty-list
check "an empty hot list" $mkfs --quiet --hot-list=empty-list $img $t
ln -s loop2 $t/loop1; ln -s loop1 $t/loop2; echo loop1/x >list
check "links that lead to each other" $mkfs --quiet --hot-list=list $img $t
finish
