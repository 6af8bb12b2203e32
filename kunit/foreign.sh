# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own functions that free, called for memory of mpool's; sourced by the init of the test machine with mpool
# loaded.  KTAP by hand.  The console hears nothing meanwhile: the kernel complains, as it should, and what it said is
# looked at here, line by line.

kmsg() { echo "$*" >/dev/kmsg; }
result() { # status number name
	if [ "$1" = 0 ]; then kmsg "ok $2 $3"; else kmsg "not ok $2 $3"; fi
}

dmesg -c >/dev/null
dmesg -n 1
insmod /mpool_stock_test.ko foreign=1 && rmmod mpool_stock_test
dmesg | sed 's/^\[[^]]*\] //' >/tmp/foreign
dmesg -c >/dev/null
dmesg -n 7

kmsg "KTAP version 1"
kmsg "1..3"
grep '^# ' /tmp/foreign | head -n 20 | while IFS= read -r line; do kmsg "$line"; done
[ "$(grep -c '^ok 1 kernel_frees_what_is_not_its$' /tmp/foreign)" = 1 ]
result $? 1 kernel_frees_what_is_not_its

# Of functions that are given what is not theirs, and nothing else: neither of memory that is torn, nor of another place.
bad=$(grep -E 'WARNING:|BUG|Oops|Bad page|bad page state|corrupt|general protection|refcount|KASAN|INFO:' /tmp/foreign |
	grep -vE 'WARNING: .* (free_large_kmalloc|__ksize|ksize|virt_to_cache|cache_from_obj|warn_free_bad_obj|kmem_cache_free)\+' |
	grep -vE 'cache_from_obj: Object is not a Slab page|cut here' | head -n 5)
[ -z "$bad" ]
status=$?
[ $status = 0 ] || printf '%s\n' "$bad" | while IFS= read -r line; do kmsg "# complaint: $(echo "$line" | tr ':' ';')"; done
result $status 2 complaints_are_of_those_functions

# What dropped references is told of, by the name of the pool; nobody has any, and no page is lost.
status=0
for pool in put-page free-page page-frag-free; do
	for end in -f -run; do
		grep -q "^mpool: references: pool \"foreign-$pool$end\", .*: freed [0-9]* times by a function of the kernel (kfree(), put_page() ...)" \
			/tmp/foreign || { kmsg "# nothing is said of foreign-$pool$end"; status=1; }
	done
done
! grep -E '^mpool: .*(others have references|lost to another user|bad free)' /tmp/foreign || status=1
result $status 3 log_tells_of_the_references
rm -f /tmp/foreign
