# --order-from: data in the order of another image, or of a list.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
t=t img=i.erofs; mkdir -p $t/a $t/b
for i in $(seq 80); do seq $i $((i * 90)) >$t/a/f$i; seq $((i * 7)) $((i * 300)) >$t/b/g$i; done
head -c 300000 /dev/urandom >$t/random; seq 400000 >$t/large; ln -s a/f1 $t/link
fixed="-T0 -U clear"
first() { "$dump" --json -e --path="$1" $img | jq '.extents[0].physical'; }
for form in "" -zlz4 "-zlz4hc -C65536 -Efragments" --preset=dense; do
	$mkfs --quiet $fixed $form old.erofs $t
	check "\"$form\": builds" $mkfs --quiet $fixed $form --order-from=old.erofs $img $t
	same "\"$form\": in the order it has anyway it is the same" old.erofs $img
done
# an order that nothing but the list explains
printf '/b/g9\na/f70\n./large\n/nowhere\na/f3\na/f70\n' >list
for form in -zlz4 "-zlz4 -Eall-fragments" --preset=dense; do
	check "\"$form\": builds by a list" sh -c "$mkfs -d9 $form --order-from=list $img $t 2>&1 | grep -q '1 of the files in the order of list are not in the source'"
	sum $t >t.sum
	check "\"$form\": is clean, all data decodes" $fsck -d1 --extract $img
	check "\"$form\": extracts the same" extracted_equals $img t.sum
	echo "$(first /b/g9) $(first /a/f70) $(first /a/f71) $(first /a/f3) $(first /a/f4)" >why
	test "$(first /b/g9)" -lt "$(first /a/f70)" && test "$(first /a/f70)" -lt "$(first /a/f71)" && test "$(first /a/f71)" -lt "$(first /a/f3)" &&
		test "$(first /a/f3)" -lt "$(first /a/f4)"; ok $? "\"$form\": what is named in that order, each with what follows it in the tree"
done
# the next version: little but what has changed is different
$mkfs --quiet $fixed --preset=dense --extent-size=65536 --order-from=list old.erofs $t
seq 12345 >$t/a/f40; seq 777 >$t/b/new
$mkfs --quiet --preset=dense --extent-size=65536 --order-from=old.erofs $img $t
sum $t >t.sum
check "the next version extracts the same" extracted_equals $img t.sum
$dump --json --path=/b/new $img >/dev/null; ok $? "and has the new file"
# a file with several names is known by each of them, whichever directory is walked first
mkdir l; cp -r $t/. l; ln l/a/f70 l/b/aaa; ln l/b/g70 l/a/aaa; printf '/b/aaa\n/a/aaa\n/a/f50\n/b/g50\n' >list
$mkfs --quiet $fixed -zlz4 --order-from=list old2.erofs l; rm l/a/aaa l/b/aaa
$mkfs --quiet $fixed -zlz4 --order-from=old2.erofs $img l
echo "$(first /a/f70) $(first /b/g70) $(first /a/f50) $(first /b/g50)" >why
test "$(first /a/f70)" -lt "$(first /a/f50)" && test "$(first /b/g70)" -lt "$(first /a/f50)"; ok $? "files whose first names are gone keep their places"
$mkfs --quiet $fixed --preset=dense --order-from=old.erofs --workers=1 one.erofs $t; $mkfs --quiet $fixed --preset=dense --order-from=old.erofs --workers=5 $img $t
same "1 and 5 workers make the same bytes" one.erofs $img
fails 1 'cannot open the order|No such file' "an order that is missing" $mkfs --order-from=nowhere $img $t
head -c 5000 old.erofs >cut.erofs; printf '\377' | dd of=cut.erofs bs=1 seek=1040 conv=notrunc 2>/dev/null
fails 1 'checksum|damaged|magic' "an order from an image that is damaged" $mkfs --order-from=cut.erofs $img $t
: >empty; check "an empty list" $mkfs --quiet --order-from=empty $img $t
mkdir nothing; check "nothing to order" $mkfs --quiet --preset=dense --order-from=old.erofs $img nothing
finish
