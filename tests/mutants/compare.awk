# Our verdicts against kernels': awk -f compare.awk dir=DIR mutants our.verdicts kernel.NAME…
# Counts for each kernel and way, and one line a disagreement.
FILENAME ~ /mutants$/ { image[$1] = $2; words[$1] = $0; sub(/^[^|]*\| /, "", words[$1]); if ($3 == "whole") whole[$2] = $1; next }
FILENAME ~ /our.verdicts$/ { ours[$2] = $4; our_data[$2] = $8; our_all[$2] = $9; next }
$1 == "K" { if (!said[$2]) { said[$2] = $0; sub(/^K [0-9]* /, "", said[$2]) } next }
$1 == "R" {
	name = FILENAME; sub(/.*kernel\./, "", name)
	key = name " " $3; keys[key] = 1
	result[key, $2] = $4; errors[key, $2] = $6; first[key, $2] = $7; data[key, $2] = $8; all[key, $2] = $9; seen[$2] = 1
}
END {
	for (key in keys) {
		for (n in seen) {
			if (!((key, n) in result) || !(n in ours)) continue
			base = whole[image[n]]
			if (result[key, base] != "ok") continue # this kernel does not read such images at all
			total[key]++
			bad = result[key, n] != "ok" || errors[key, n] > 0
			same = !bad && all[key, n] == all[key, base]
			clean = ours[n] == "clean"
			if (ours[n] ~ /^(CRASH|HANG|failed)/) what = "harmed"
			else if (clean && bad) what = "missed"
			else if (clean && same) what = "both-clean"
			else if (clean && our_data[n] != data[key, n]) what = "misread"
			else if (clean && our_all[n] != all[key, n]) what = "mistold"
			else if (clean) what = "other-tree"
			else if (bad) what = "both-bad"
			else if (same) what = "over-strict"
			else what = "told-differs"
			count[key, what]++; whats[what] = 1
			if (what ~ /harmed|missed|misread|mistold|over-strict/)
				printf "%s %s %s %s: ours %s, kernel %s %s; %s [%s]\n", what, key, n, image[n], ours[n], result[key, n], first[key, n], words[n], said[n]
		}
	}
	for (key in keys) {
		printf "%s: %d mutants", key, total[key]
		for (what in whats) printf ", %s %d", what, count[key, what]
		print ""
	}
}
