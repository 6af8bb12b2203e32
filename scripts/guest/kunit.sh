# SPDX-License-Identifier: GPL-2.0-only
# The suites of KUnit, of modules that come and go, and one that has to fail.  Sourced by test.sh.
filter() { echo -n "$1" >/sys/module/kunit/parameters/filter_glob; }
# MemFree, and the free pages that each CPU has at hand, in kB; slabs that are empty are none.
mem_free() {
	for shrink in /sys/kernel/slab/*/shrink; do echo 1 >"$shrink"; done
	awk '$1 == "MemFree:" { kb += $2 } $1 == "count:" { kb += 4 * $2 } END { print kb }' /proc/meminfo /proc/zoneinfo
}
# The memory that the kernel keeps for a module that was loaded once is there before it is counted.
if [ -n "$slack" ]; then
	# Watermarks that move would make two counts of the same memory differ.
	echo 0 >/proc/sys/vm/watermark_boost_factor
	load /mpool.ko
	unload mpool
	before=$(mem_free)
fi
load /mpool.ko
[ -z "$glob" ] || filter "$glob"
say slice $suites
load /$suites.ko
say end $suites
leaks
unload $suites
if [ -n "$slack" ]; then
	unload mpool
	sleep 1
	after=$(mem_free)
	say note "free memory: $before kB before, $after kB after"
	[ $((after + slack)) -ge "$before" ] || say "failed: $((before - after)) kB are not back"
	load /mpool.ko
elif [ -z "$glob" ] || [ "$glob" = mpool_modules ]; then
	say slice mpool_modules
	. /modules.sh
	say end mpool_modules
fi
[ -z "$glob" ] || filter 'mpool_red*'
say slice red
load /mpool_red_kunit.ko
say end red
unload mpool_red_kunit
unload mpool
leaks
