# The house itself: floors, exported names, state, documents that match the code.
. "$(dirname "$0")/lib.sh"
cd "$ERO_SOURCE" || exit 1
# who may include whom: a folder's floor, lower ones first
floor() {
	case $1 in
	base) echo 1 ;; format) echo 2 ;; codec) echo 3 ;; image | tree) echo 4 ;; source | pack | layout) echo 5 ;;
	build | check | extract | layering) echo 6 ;; report) echo 7 ;; *) echo 0 ;;
	esac
}
: >"$work/why"
for f in lib/*/*.[ch]; do
	own=$(basename "$(dirname "$f")")
	grep -oE '#include "[a-z]+/' "$f" | sed 's/.*"//; s,/,,' | sort -u | while read -r to; do
		[ "$to" = "$own" ] && continue
		[ "$(floor "$to")" -lt "$(floor "$own")" ] || case "$own:$to" in
		layout:pack | pack:source | extract:source) ;; # the trip of the data: source, pack, layout
		*) echo "$f includes $to/" ;;
		esac
	done
done >"$work/why"
test ! -s "$work/why"; ok $? "every folder includes only from its own floor or below"
grep -lE '#include "(base|format|codec|image|tree|source|pack|layout|build|check|extract|layering|report)/' cli/*.[ch] mkfs/*.[ch] fsck/*.[ch] dump/*.[ch] >"$work/why"
test ! -s "$work/why"; ok $? "tools reach the library only through erolith.h"
lib=$bin/.libs/liberolith.so
if [ -e "$lib" ]; then
	nm -D --defined-only "$lib" | awk '{print $3}' | grep -vE '^ero_|^_(init|fini|_bss_start|edata|end)|asan|ubsan|^__' >"$work/why"
	test ! -s "$work/why"; ok $? "only names with our prefix are exported"
	# constants that hold addresses lie in .data.rel.ro, which nobody can write after loading
	if grep -q __asan_init "$lib"; then skip "sanitizers add state of their own" "no writable state in the library"; else
		objdump -t "$lib" | awk '$3 == "O" || $2 == "O" || $4 == "O"' | grep -E '[[:space:]]\.(data|bss|tdata|tbss)[[:space:]]' | grep -vE ' (completed\.0|__dso_handle|_edata|__TMC_END__)$' >"$work/why"
		test ! -s "$work/why"; ok $? "no writable state in the library"
	fi
else skip "built without the shared library" "exported names and state"
fi
ldd "$fsck" "$dump" | grep -E 'libarchive|libicu|libxml' >"$work/why"
test ! -s "$work/why"; ok $? "checker and dump load no library that only builders need"
for tool in mkfs fsck dump; do
	page=man/$tool.erofs.1
	: >"$work/why"
	"$bin/$tool.erofs" --help | cut -c1-33 | grep -oE '(^| )--?[A-Za-z][A-Za-z0-9-]*' | tr -d ' ' | sort -u | while read -r o; do
		case $o in # mdoc's Fl writes the first dash
		--*) pattern="\\\\$(printf '%s' "${o#-}" | sed 's/-/\\\\-/g; s/^\\\\//')( |\$)" ;;
		*) pattern="Fl ${o#-}( |\$)" ;;
		esac
		grep -qE -- "$pattern" "$page" || echo "$o is not in $page"
	done >"$work/why"
	test ! -s "$work/why"; ok $? "every option of $tool.erofs --help is in its man page"
	check "$tool.erofs.1 is well-formed" sh -c "! command -v mandoc >/dev/null || mandoc -T lint -W error $page"
done
grep -oE '(^|[ (`])(lib|man|tests|cli|mkfs|fsck|dump)/[A-Za-z0-9_./-]+[A-Za-z0-9]' README.md NEWS.md man/*.[0-9] | sed 's/.*[ (`:]//' | sort -u | while read -r p; do [ -e "$p" ] || echo "$p is named in a document and is not there"; done >"$work/why"
test ! -s "$work/why"; ok $? "documents name only files that exist"
for page in layering checks; do
	"$bin/man/$page" >"$work/page" && cmp "$work/page" "$ERO_SOURCE/man/erolith-$page.7" >"$work/why" 2>&1
	ok $? "man/erolith-$page.7 is what its table says (make man-pages writes it)"
done
finish
