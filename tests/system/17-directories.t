# --zD: directories are compressed like files, in every form, and kernels list and look into them.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
t=t img=i.erofs; mkdir -p $t/many $t/some $t/few $t/odd
for i in $(seq 4000); do : >$t/many/a-file-with-a-name-of-its-own-$i; done
for i in $(seq 150); do echo $i >$t/some/$i-which-is-longer-than-usual-so-that-it-takes-more-than-one-block; mkdir $t/odd/$(printf %s "$i" | sha512sum | cut -c1-100); done
echo 1 >$t/few/1; for i in $(seq 200); do : >$t/in-the-root-itself-$i; done
setfattr -n user.of.a.directory -v value $t/many $t/odd 2>/dev/null
sum $t >t.sum
layout() { "$dump" --json --path="$1" $img | jq -r .layout; }
bytes() { stat -c %s "$1"; }
forms="-zlz4;--preset=dense;--preset=dense -m65536"
[ -n "$sanitized" ] ||
	forms="$forms;-zlz4hc -C65536;-zzstd,level=1 -C16384 -Eall-fragments;-zlz4 -b1024;-zlz4 -Eztailpacking -Elegacy-compress;-zlzma,level=0 --extent-size=4096;-zdeflate,level=1 -C4096 -Ededupe"
IFS=';'; set -- $forms; unset IFS
for form; do
	$mkfs --quiet $form without.erofs $t
	check "$form --zD builds" $mkfs --quiet $form --zD $img $t
	echo "$(bytes $img) bytes, $(bytes without.erofs) without" >why; test "$(bytes $img)" -lt "$(bytes without.erofs)"; ok $? "$form: smaller than without"
	check "$form: large directories are compressed" sh -c "case '$(layout /many) $(layout /)' in 'compressed '*' compressed '*) ;; *) echo '$(layout /many) $(layout /)'; false ;; esac"
	check "$form: small ones are not" test "$(layout /few)" = "flat inline"
	check "$form: is clean, all data decodes" $fsck -d1 --extract $img
	if can_mount; then check "$form: mounts and reads back the same" mounted_equals $img t.sum; else skip "$why_not" "$form: mounts"; fi
	check "$form: extracts the same" extracted_equals $img t.sum
done
for form in -zlz4 "--preset=dense -m65536"; do
	$mkfs --quiet -T0 -U clear $form --zD --workers=1 one.erofs $t; $mkfs --quiet -T0 -U clear $form --zD --workers=6 $img $t
	same "$form: 1 and 6 workers make the same bytes" one.erofs $img
done
check "--zD=0 is none" $mkfs --quiet -T0 -U clear -zlz4 --zD=0 $img $t; $mkfs --quiet -T0 -U clear -zlz4 one.erofs $t; same "--zD=0: the same as without" one.erofs $img
fails 1 'it is 0 or 1' "--zD=2" $mkfs -zlz4 --zD=2 $img $t
fails 1 '-z, or --preset, is missing' "--zD without compression" $mkfs --zD $img $t
finish
