// SPDX-License-Identifier: GPL-2.0-only
/*
 * resmem: a platform driver whose buffers lie in reserved memory.
 *
 * The device tree keeps a range from the kernel and gives it to the device:
 *
 *	reserved-memory {
 *		#address-cells = <2>;
 *		#size-cells = <2>;
 *		ranges;
 *
 *		buffers: buffers@80000000 {
 *			reg = <0x0 0x80000000 0x0 0x4000000>;
 *			no-map;
 *		};
 *	};
 *
 *	device {
 *		compatible = "mpool,resmem";
 *		memory-region = <&buffers>;
 *	};
 *
 * All of it is undone in reverse order when the device goes: first the ring is
 * freed and the pool ended, then the range is unmapped.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/mpool.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

struct resmem {
	struct mpool_large *pool;
	void *ring;
	size_t ring_size;
};

/* What the device wants of its ring: 32 address bits, within one MiB. */
static const struct mpool_place ring_place = {
	.align = SZ_4K,
	.boundary = SZ_1M,
	.max = DMA_BIT_MASK(32),
};

static void resmem_end(void *data)
{
	struct resmem *resmem = data;

	mpool_large_free(resmem->pool, resmem->ring);
	/* What is still out is reported here, by the line that took it. */
	mpool_large_destroy(resmem->pool);
}

/* The range that the device tree gives to the device, or NULL. */
static struct reserved_mem *resmem_range(struct device *dev)
{
	struct device_node *node;
	struct reserved_mem *range;

	node = of_parse_phandle(dev->of_node, "memory-region", 0);
	if (!node)
		return NULL;
	range = of_reserved_mem_lookup(node);
	of_node_put(node);
	return range;
}

static int resmem_pool(struct device *dev, struct resmem *resmem)
{
	struct reserved_mem *range = resmem_range(dev);
	struct mpool_region_args args = { .flags = MPOOL_REGION_PHYS };
	struct mpool_large *pool;
	void *base;

	if (!range)
		return dev_err_probe(dev, -ENODEV, "no memory-region\n");
	base = devm_memremap(dev, range->base, range->size, MEMREMAP_WC);
	if (IS_ERR(base))
		return dev_err_probe(dev, PTR_ERR(base), "cannot map it\n");
	/* A pool's name is its own; that of a device is, too. */
	args.phys = range->base;
	pool = mpool_large_create_region(dev_name(dev), base, range->size,
					 &args);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	resmem->pool = pool;
	return devm_add_action_or_reset(dev, resmem_end, resmem);
}

static int resmem_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct resmem *resmem;
	phys_addr_t phys;
	int err;

	resmem = devm_kzalloc(dev, sizeof(*resmem), GFP_KERNEL);
	if (!resmem)
		return -ENOMEM;
	err = resmem_pool(dev, resmem);
	if (err)
		return err;
	resmem->ring = mpool_large_alloc_placed(resmem->pool, SZ_16K,
						&ring_place, &resmem->ring_size,
						GFP_KERNEL | __GFP_ZERO);
	if (!resmem->ring)
		return -ENOMEM;
	phys = mpool_large_phys(resmem->pool, resmem->ring);
	dev_info(dev, "ring of %zu bytes at %pa\n", resmem->ring_size, &phys);
	return 0;
}

static const struct of_device_id resmem_ids[] = {
	{ .compatible = "mpool,resmem" },
	{ }
};
MODULE_DEVICE_TABLE(of, resmem_ids);

static struct platform_driver resmem_driver = {
	.probe = resmem_probe,
	.driver = {
		.name = KBUILD_MODNAME,
		.of_match_table = resmem_ids,
	},
};
module_platform_driver(resmem_driver);

MODULE_DESCRIPTION("A ring in reserved memory, from mpool");
MODULE_LICENSE("GPL");
