# SPDX-License-Identifier: GPL-2.0-only
# Cases that need modules to come and go; sourced by the init of the test machine with mpool loaded.  KTAP by hand.
# What the log says is compared without the sample addresses.

dir=/sys/kernel/debug/mpool
kmsg() { echo "$*" >/dev/kmsg; }
case_nr=0
result() { # status name
	case_nr=$((case_nr + 1))
	if [ "$1" = 0 ]; then kmsg "ok $case_nr $2"; else kmsg "not ok $case_nr $2"; fi
}
# Our lines in the log since the last call.
log_new() {
	dmesg -c | sed 's/^\[[^]]*\] //' | grep '^mpool: ' | sed 's/, first [0-9a-f]*//'
}
same() { # have want: shows the difference
	[ "$1" = "$2" ] && return
	printf '%s\n' "wanted:" "$2" "have:" "$1" | while IFS= read -r line; do kmsg "# $line"; done
	return 1
}
left='mpool: module mpool_client is unloaded and leaves 4 objects, up to 1312 bytes, and 1 pool:
mpool:   1 object, up to 1024 bytes: client.c:43 client_alloc [mpool_client] in pool "global"
mpool:   3 objects, 288 bytes: client.c:42 client_alloc [mpool_client] in pool "client"
mpool:   fixed pool "client" was not destroyed'

failed_init_is_reported() {
	insmod /mpool_client.ko fail=1 2>/dev/null && return 1
	# busybox tries a second way to load a module that failed, and fails again
	same "$(log_new | head -n 4)" "$left"
}
exit_that_leaks_is_reported() {
	insmod /mpool_client.ko leak=1 && rmmod mpool_client && same "$(log_new)" "$left"
}
clean_client_is_not_reported() {
	insmod /mpool_client.ko && rmmod mpool_client && same "$(log_new)" ""
}
orphans_are_visible() {
	[ "$(grep -c '^client~[0-9][0-9]*  *fixed  *mpool_client .* orphan$' $dir/pools)" -ge 2 ]
}
orphans_keep_their_files() {
	[ "$(grep -c 'client.c:42 client_alloc .mpool_client.' "$dir/client~1/objects")" = 3 ]
}
leaks_file_has_both() {
	[ "$(grep -c '^module mpool_client is unloaded and leaves 4 objects' $dir/leaks)" -ge 2 ]
}
files_are_read_while_pools_come_and_go() {
	# shellcheck disable=SC2043
	while [ ! -e /tmp/enough ]; do cat $dir/pools $dir/leaks $dir/*/* >/dev/null 2>&1; done &
	insmod /mpool_client.ko churn=40
	status=$?
	touch /tmp/enough
	wait
	rm -f /tmp/enough
	rmmod mpool_client && same "$(log_new)" "" && [ $status = 0 ] && ! grep -q '^churn' $dir/pools
}
modes_are_as_documented() {
	same "$(stat -c '%a %n' $dir/pools $dir/leaks $dir/global/* | sed "s,$dir/,,")" \
		'444 pools
400 leaks
400 global/objects
444 global/sites
444 global/stats'
}
mpool_stays_while_a_client_is_loaded() {
	insmod /mpool_client.ko || return 1
	rmmod mpool 2>/dev/null && return 1
	rmmod mpool_client
}
wrong_policy_is_refused() {
	echo keep >/sys/module/mpool/parameters/on_leak || return 1
	echo never 2>/dev/null >/sys/module/mpool/parameters/on_leak && return 1
	same "$(log_new)" 'mpool: on_leak=never is not one of keep, reclaim, panic' &&
		[ "$(cat /sys/module/mpool/parameters/on_leak)" = keep ]
}
policy_reclaim_leaves_nothing() {
	before=$(grep -c . $dir/pools)
	live=$(awk '$1 == "global" { print $5 }' $dir/pools)
	echo reclaim >/sys/module/mpool/parameters/on_leak
	insmod /mpool_client.ko leak=1 && rmmod mpool_client
	echo keep >/sys/module/mpool/parameters/on_leak
	log_new >/dev/null
	[ "$(grep -c . $dir/pools)" = "$before" ] &&
		[ "$(awk '$1 == "global" { print $5 }' $dir/pools)" = "$live" ]
}

bad_frees_name_the_function() {
	insmod /mpool_client.ko bad=1 && rmmod mpool_client || return 1
	log=$(log_new)
	for fn in client_work client_rcu client_put; do
		echo "$log" | grep -q "bad free: .*; freed by $fn+.* \[mpool_client\]" || return 1
	done
	[ "$(echo "$log" | grep -c 'bad free: ')" = 10 ] &&
		echo "$log" | grep -q '^mpool: fixed pool "client-reqs" had 23 bad frees; the last 13 of them were not shown'
}

all='failed_init_is_reported exit_that_leaks_is_reported clean_client_is_not_reported orphans_are_visible
orphans_keep_their_files bad_frees_name_the_function
leaks_file_has_both files_are_read_while_pools_come_and_go modes_are_as_documented
mpool_stays_while_a_client_is_loaded wrong_policy_is_refused policy_reclaim_leaves_nothing'
kmsg "KTAP version 1"
# shellcheck disable=SC2086
set -- $all
kmsg "1..$#"
log_new >/dev/null
for name; do
	$name
	result $? "$name"
done
