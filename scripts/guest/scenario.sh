#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What "make demo" shows.  Runs in the booted machine, in a directory with mpool.ko, wordstat.ko and COPYING.
# With the address and the size of a reserved range all of mpool's memory is put there, and that is checked.
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
		grep -E '^(mpool|wordstat): ' | grep -v -E ': (loading out-of-tree|module verification)' | uniq
	seen=$(dmesg | wc -l)
}

# A step that has to be refused, with a word about it in the log.
refused() {
	echo "# $*"
	if eval "$*"; then
		trouble "that was not refused"
	fi
	log
}

# Is every page of every pool in the range?  Each live object is looked at, and where each pool has its memory from.
inside() {
	echo "# is all of it in the range?"
	map=$(sed -n "s/^0x\([0-9a-f]*\)-0x[0-9a-f]* .* phys=0x0*${phys#0x} .*/\1/p" /proc/vmallocinfo)
	[ -n "$map" ] || trouble "the range is not in /proc/vmallocinfo"
	end=$(printf %x $((0x$map + ${size%M} * 1024 * 1024)))
	cat */objects | awk -v from="$map" -v to="$end" '
		/^[0-9a-f]+ / { n++; if ($1 "" < from "" || $1 "" >= to "") { print "not there: " $0; bad = 1 } }
		END { print n " objects, all from " from " to " to; exit bad || !n }' || trouble "an object is elsewhere"
	if grep 'memory from .*the system' */stats; then
		trouble "a pool has its memory from the system"
	fi
	held=$(sed -n 's/^pages held *//p' shared/stats)
	[ "$held" = $((${size%M} * 256)) ] || trouble "the pool of all has $held pages"
	grep -H 'memory from' */stats
	grep -H 'pages held' shared/stats
	grep ': mpool$' /proc/iomem || trouble "the range is not claimed"
}

phys=${1-} size=${2-} in=
if [ -n "$phys" ]; then
	in=" region_phys=$phys region_size=$size"
	refused insmod mpool.ko region_phys=$phys
	refused insmod mpool.ko region_phys=$phys region_size=much
	refused insmod mpool.ko region_phys=${phys}4 region_size=$size
	refused insmod mpool.ko region_phys=$phys region_size=0x1800
	refused insmod mpool.ko region_phys=$phys region_size=0
	refused insmod mpool.ko region_phys=0x10000000 region_size=$size
	refused insmod mpool.ko region_phys=$phys region_size=512M
	refused insmod mpool.ko region_phys=0x7ffffffffffff000 region_size=$size
	refused insmod mpool.ko region_phys=0xfffffffffffff000 region_size=$size
	run "insmod mpool.ko$in"
	run rmmod mpool
	grep ': mpool$' /proc/iomem && trouble "the range was not given back"
	run "insmod mpool.ko$in"
	log
	run cat /sys/module/mpool/parameters/region_phys
else
	run insmod mpool.ko
fi
run insmod wordstat.ko

# The driver counts the same as the shell, byte for byte.
run 'cat COPYING /proc/kallsyms | head -n 100000 >text'
run 'cat text >/dev/wordstat'
run 'head -n 3 /dev/wordstat'
run "tr -s '[:space:]' '\\n' <text | grep . | sort | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//' >count"
run 'cmp count /dev/wordstat && echo "the same $(wc -l <count) words"'

# More different words than fit into the longest run of the page allocator.
if [ -z "$in" ]; then
	run 'seq 1000000 1299999 >/dev/wordstat'
	run 'cat /dev/wordstat | wc -l'
	run '[ "$(cat /dev/wordstat | wc -l)" = 300000 ]'
	run 'cat text >/dev/wordstat'
fi

run cd /sys/kernel/debug/mpool
run cat pools
[ -z "$in" ] || inside
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
[ -z "$in" ] || inside
run cd
run rmmod mpool
log
[ -z "$in" ] || refused "insmod mpool.ko$in"

[ -z "$bad" ]
