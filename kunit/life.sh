# SPDX-License-Identifier: GPL-2.0-only
# mpool and a client come and go many times, with whatever may be left at an end; sourced by the init of the test
# machine without mpool loaded.  KTAP by hand.  The console hears no more than a word now and then and the verdict: there
# are thousands of lines.  $cycles says how many times; a cycle takes half a second, most of it to load the modules.

kmsg() { echo "$*" >/dev/kmsg; }
cycles=${cycles:-50}

once() { # number of the cycle
	insmod /mpool.ko && insmod /mpool_life_holder.ko || return 1
	case $(($1 % 3)) in
	0) insmod /mpool_life.ko leak=1 && rmmod mpool_life ;;
	1) insmod /mpool_life.ko leak=0 && rmmod mpool_life ;;
	2) ! insmod /mpool_life.ko fail=1 2>/dev/null ;;
	esac || return 1
	rmmod mpool_life_holder && rmmod mpool
}
# After four minutes in one cycle the console gets the stacks of the tasks that wait: the judge ends the machine after
# five without a word.
watch() {
	same=0 last=
	while sleep 30; do
		now=$(cat /tmp/cycle)
		[ "$now" = "$last" ] && same=$((same + 1)) || same=0
		last=$now
		[ $same -lt 8 ] || { dmesg -n 7; echo w >/proc/sysrq-trigger; return; }
	done
}
ends_again_and_again() {
	i=0
	while [ $i -lt "$cycles" ]; do
		[ $((i % 10)) != 0 ] || echo "<0># cycle $i" >/dev/kmsg
		echo $i >/tmp/cycle
		once $i || { why="cycle $i failed"; return 1; }
		i=$((i + 1))
	done
	why=$(dmesg | grep -m 1 -E 'bad free|bad realloc|BUG|WARNING|Oops|general protection|is not destroyed')
	[ -z "$why" ]
}

expedited=/sys/kernel/rcu_expedited
old=$(cat $expedited)
echo 1 >$expedited
dmesg -c >/dev/null
dmesg -n 1
watch &
watch=$!
ends_again_and_again
status=$?
kill $watch
dmesg -n 7
echo "$old" >$expedited
kmsg "KTAP version 1"
kmsg "1..1"
if [ $status = 0 ]; then
	kmsg "ok 1 ends_again_and_again"
else
	kmsg "# $why"
	kmsg "not ok 1 ends_again_and_again"
fi
