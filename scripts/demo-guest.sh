#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What "make demo" shows.  Runs in the booted machine, in a directory with mpool.ko, wordstat.ko and COPYING.
# Each step is printed as "# command" with what came out below it.  Status 0 only if every step worked.
pools=/sys/kernel/debug/mpool
bad=

run() {
	echo "# $*"
	eval "$*" || { echo "demo: that failed, with status $?"; bad=y; }
}
# What the kernel's log has of ours since the last look.
seen=0
log() {
	echo "# dmesg"
	dmesg | sed 's/^\[[^]]*\] //' >/tmp/log
	tail -n +$((seen + 1)) /tmp/log | grep -E '^(mpool|wordstat)' | grep -v 'loading out-of-tree\|module verification'
	seen=$(wc -l </tmp/log)
}
seen=$(dmesg | wc -l)
date
wc /proc/kallsyms
run insmod mpool.ko
run insmod wordstat.ko
run 'cat COPYING >text'
run 'head -n 100000 /proc/kallsyms >>text'
run 'time cat text >/dev/wordstat'
run 'time head -n 5 /dev/wordstat'
run "time tr -s '[:space:]' '\n' <text | grep . | sort | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//' >shell"
run 'time cmp /dev/wordstat shell && echo "same: $(wc -l <shell) words"'
date
run "cat $pools/pools"
run "cat $pools/wordstat*/stats"
run "cat $pools/wordstat*/sites"
run "head -n 3 $pools/wordstat*/objects"
run rmmod wordstat
log
run insmod wordstat.ko leak=1
run 'cat COPYING >/dev/wordstat'
run 'head -n 3 /dev/wordstat'
run rmmod wordstat
log
run "cat $pools/leaks"
run "cat $pools/pools"
run rmmod mpool
log

[ -z "$bad" ] || exit 1
echo "demo: all is well"
