# Hostile images extracted: nothing outside of the target is touched, whoever extracts.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
hostile="perl $ERO_SOURCE/tests/system/hostile.pl"
mkdir -p t/aa/sub t/LINKDIR; echo payload >t/aa/file; echo payload >t/BBBBBBBBBBBBBBB; echo payload >t/LINKDIR/inside; echo payload >t/XXXXXXXXXX
ln -s ../outside/target t/symlink; echo payload >t/zzzz; ln t/zzzz t/hardlink; echo x >t/setuid; chmod 6755 t/setuid
setfattr -n user.xx -v value t/aa/file
$mkfs --quiet -E force-inode-extended -E noinline_data base.img t
nid() { $dump --json --path="$1" base.img | jq .nid; }

# what lies around the target, down to times: extraction must leave it as it is
arena() { rm -rf arena; mkdir -p arena/outside arena/etc; echo secret >arena/outside/target; chmod 600 arena/outside/target; echo root >arena/etc/passwd; find arena -exec touch -h -d @1000 {} +; }
look() { (cd arena && find . -path ./x -prune -o -printf '%p %y %m %U %G %s %T@ %C@ %n %l\n' | grep -v '^\. ' | sort; find . -path ./x -prune -o -type f -exec sha256sum {} +); getfattr -d -m - -R arena/outside arena/etc 2>/dev/null; }
attack() { # NAME CHANGE…
	name=$1; shift
	cp base.img m.img; $hostile m.img "$@" 2>why || { ok 1 "$name: the image can be made"; return; }
	for way in --extract --salvage; do
		arena; look >before
		(cd arena && timeout 30 $fsck --no-sbcrc -d0 --xattrs --overwrite $way=x ../m.img >../said 2>&1); code=$?
		look >after
		cmp before after >why && [ $code -lt 126 ]; result=$?
		[ $result -eq 0 ] || { diff before after >why; echo "exit code $code" >>why; }
		ok $result "$name ($way)"
	done
}
arena; look >before; echo x >arena/outside/new; look >after
check "a file outside would be seen" sh -c "! cmp -s before after"
attack "a name with slashes" BBBBBBBBBBBBBBB=../outside/goto
attack "an absolute name" XXXXXXXXXX=/etc/passX
attack "a name of two dots" aa=..
attack "dots and a slash" zzzz=../y
attack "a symbolic link where a directory stands" symlink=LINKDIR
attack "a directory where a symbolic link stands" LINKDIR=symlink
attack "a file named as a symbolic link" hardlink=symlinkk symlink=zzzzzzz
attack "a file beneath a symbolic link" type:$(nid /LINKDIR)=120777
attack "a symbolic link that is a directory" type:$(nid /symlink)=040755
attack "a device node that is a file" type:$(nid /zzzz)=060666
attack "a character device" type:$(nid /zzzz)=020666
attack "a directory that is its own child" nid:$(nid /aa/sub)=$(nid /aa)
attack "the root as a child" nid:$(nid /LINKDIR)=$(nid /)
attack "a file as a hard link to a directory" nid:$(nid /zzzz)=$(nid /aa)
attack "set-id files" type:$(nid /zzzz)=106777
# an xattr of another namespace at the same length: index 4 is trusted., 6 security.
for index in 04 06 02; do
	cp base.img m.img; perl -0777 -pi -e 's/\x02\x01(\x05\x00xx)/\x02\x'$index'$1/' m.img
	arena; look >before; (cd arena && timeout 30 $fsck --no-sbcrc -d0 --xattrs --extract=x ../m.img >../said 2>&1); code=$?; look >after
	cmp before after >why && [ $code -lt 126 ]; ok $? "an xattr of namespace $index"
done
# what stands in the target's way is not followed either
cp base.img m.img
for obstacle in aa zzzz symlink; do
	arena; mkdir arena/x; ln -s ../outside arena/x/$obstacle; find arena -exec touch -h -d @1000 {} +; look >before
	(cd arena && $fsck --no-sbcrc -d0 --overwrite --extract=x ../m.img >../said 2>&1); look >after
	same "a symbolic link in the way of $obstacle" before after
done
arena; mkdir arena/x; ln arena/outside/target arena/x/zzzz; look | sed 's/ 2 $/ 1 /' >before # one name more of it is ours
(cd arena && $fsck --no-sbcrc -d0 --extract=x ../m.img >../said 2>&1)
check "a hard link in the way is not written through" sh -c 'test "$(cat arena/outside/target)" = secret'
if is_root; then
	check "without --preserve, set-id bits are not given" sh -c "rm -rf y; $fsck --no-sbcrc -d0 --no-preserve --extract=y base.img; test \"\$(stat -c %a y/setuid)\" -lt 1000"
else skip "needs root to try" "without --preserve, set-id bits are not given"; fi
finish
