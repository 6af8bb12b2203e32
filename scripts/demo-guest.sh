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

run insmod mpool.ko
run insmod wordstat.ko
run cp /proc/kallsyms /tmp/text
run 'cat COPYING >>/tmp/text'
run 'cat /tmp/text >/dev/wordstat'
run 'sort /dev/wordstat >/tmp/mpool.counts'
run "awk '{ for (i = 1; i <= NF; i++) n[\$i]++ } END { for (w in n) print n[w], w }' /tmp/text | sort >/tmp/shell.counts"
run 'cmp /tmp/mpool.counts /tmp/shell.counts && echo "the driver and the shell counted the same $(wc -l </tmp/shell.counts) words"'
run "cat $pools/pools"
run "head -n 20 $pools/wordstat*/stats"
run "head -n 12 $pools/wordstat*/sites"
run rmmod wordstat
log
run insmod wordstat.ko leak=1
run 'cat COPYING >/dev/wordstat'
run rmmod wordstat
log
run "cat $pools/leaks"
run rmmod mpool
log

[ -z "$bad" ] || exit 1
echo "demo: all is well"
