#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What "make demo" shows.  Runs in the booted machine, in a directory with mpool.ko, wordstat.ko and COPYING.
# Each step is printed as "# command" with what came out below it.  Status 0 only if every step worked.
HOME=$PWD
bad=
trouble() {
	echo "demo: $*"
	bad=y
}

run() {
	echo "# $*"
	eval "$*" || trouble "that failed, with status $?"
}

# What the log of the kernel has of ours since the last look, without time stamps.
seen=$(dmesg | wc -l)
log() {
	echo "# dmesg"
	dmesg | tail -n +$((seen + 1)) | sed 's/^\[[^]]*\] //' |
		grep -E '^(mpool|wordstat): ' | grep -v -E ': (loading out-of-tree|module verification)'
	seen=$(dmesg | wc -l)
}

run insmod mpool.ko
run insmod wordstat.ko

# The driver counts the same as the shell, byte for byte.
run 'cat COPYING /proc/kallsyms | head -n 100000 >text'
run 'cat text >/dev/wordstat'
run 'head -n 3 /dev/wordstat'
run "tr -s '[:space:]' '\\n' <text | grep . | sort | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//' >count"
run 'cmp count /dev/wordstat && echo "the same $(wc -l <count) words"'

run cd /sys/kernel/debug/mpool
run cat pools
run cat wordstat-counters/stats
run cat wordstat-words/sites
run head -n 2 wordstat-words/objects
run rmmod wordstat
log

# The same driver, made to forget some of each.
run cd
run insmod wordstat.ko leak=1
run 'cat COPYING >/dev/wordstat'
run 'head -n 1 /dev/wordstat'
run cd /sys/kernel/debug/mpool
run cat global/sites
run rmmod wordstat
log
run cat pools
run head -n 4 leaks
run cd
run rmmod mpool
log

[ -z "$bad" ]
