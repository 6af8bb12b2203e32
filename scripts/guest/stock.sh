# SPDX-License-Identifier: GPL-2.0-only
# mpool_stock_test.ko and the shell cases beside it, in a kernel without KUnit.  Sourced by test.sh.
load /mpool.ko
say slice mpool_stock_test
load /mpool_stock_test.ko
say end mpool_stock_test
unload mpool_stock_test
if [ -n "$red" ]; then
	say slice red
	insmod /mpool_stock_test.ko red=1 2>/dev/null
	say end red
	rmmod mpool_stock_test 2>/dev/null
fi
if [ -n "$foreign" ]; then
	say slice mpool_foreign
	. /foreign.sh
	say end mpool_foreign
fi
unload mpool
say slice mpool_life
. /life.sh
say end mpool_life
