# The other implementation of the format reads our images, and we read its.
# PEER_PREFIX names where it is: "peer-" for programs peer-mkfs.erofs …; else the system's own erofs-utils are used.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
prefix=${PEER_PREFIX:-/usr/bin/}
pmkfs=$(command -v "${prefix}mkfs.erofs") pfsck=$(command -v "${prefix}fsck.erofs")
[ -n "$pmkfs" ] && [ -n "$pfsck" ] || { skip "erofs-utils is not installed" "the peer"; finish; exit; }
real_tree t >/dev/null
sleep 2 # the peer drops the nanoseconds of files as young as the build second
sum t >t.sum
known=$($pmkfs --help 2>&1)
version=$($pfsck --version 2>&1 | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)
newer() { [ "$(printf '%s\n' "$1" "$version" | sort -V | head -n 1)" = "$1" ]; }
knows() { echo "$known" | grep -qE "$1"; }
for o in "" "-zlz4" "-zlz4hc" "-zlz4hc -C65536" "-zlz4 -Eztailpacking" "--chunksize=4096" "-zlzma -C65536" "-zdeflate" "-zzstd"; do
	alg=$(echo "$o" | sed -n 's/.*-z\([a-z0-9]*\).*/\1/p')
	if [ -n "$alg" ] && ! knows "$alg"; then skip "this erofs-utils has no $alg" "\"$o\""; continue; fi
	$mkfs --quiet $o ours.erofs t
	check "ours \"$o\": the peer finds it clean" $pfsck -d1 --extract ours.erofs
	check "theirs \"$o\": builds" sh -c "$pmkfs $o theirs.erofs t >/dev/null 2>&1"
	check "theirs \"$o\": is clean to us" $fsck -d1 --extract theirs.erofs
	check "theirs \"$o\": extracts to the source" extracted_equals theirs.erofs t.sum
done
for o in "-zlz4hc -C65536 -Efragments" "-zlz4hc -C65536 -Eall-fragments" "-zlz4 -Efragments,legacy-compress" "-zzstd -C131072 -Efragments"; do
	alg=$(echo "$o" | sed -n 's/.*-z\([a-z0-9]*\).*/\1/p')
	if ! knows "$alg" || ! newer 1.6; then skip "this erofs-utils has no $alg or no fragments" "ours \"$o\""; continue; fi
	$mkfs --quiet $o ours.erofs t
	check "ours \"$o\": the peer finds it clean" $pfsck -d1 --extract ours.erofs
done
if newer 1.9; then
	$mkfs --quiet --preset=dense ours.erofs t
	check "ours, dense: the peer finds it clean" $pfsck -d1 --extract ours.erofs
else skip "this erofs-utils does not know 48BIT" "ours, dense"; fi
for o in -Efragments -Eall-fragments -Ededupe -Efragments,dedupe,ztailpacking; do
	if ! knows fragments && ! $pmkfs -zlz4 $o probe.erofs t >/dev/null 2>&1; then skip "this erofs-utils has no $o" "theirs $o"; continue; fi
	check "theirs -zlz4hc $o: builds" sh -c "$pmkfs -zlz4hc -C65536 $o theirs.erofs t >/dev/null 2>&1"
	check "theirs -zlz4hc $o: is clean to us" $fsck -d1 --extract theirs.erofs
	check "theirs -zlz4hc $o: extracts to the source" extracted_equals theirs.erofs t.sum
done
if knows -- '--MZ'; then for o in "--MZ=id" "-zlz4hc --zD" "-zlz4hc -m65536" "-E48bit" "-E48bit -zzstd -C65536"; do
	$pmkfs $o theirs.erofs t >/dev/null 2>&1 || { skip "this erofs-utils does not do \"$o\"" "theirs \"$o\""; continue; }
	check "theirs \"$o\": is clean to us" $fsck -d1 --extract theirs.erofs
	check "theirs \"$o\": extracts to the source" extracted_equals theirs.erofs t.sum
done; fi
finish
