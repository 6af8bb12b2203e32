// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserved memory: a physical range that all of mpool's memory comes from.
 *
 * Structure: the module parameters region_phys and region_size name a range that was kept
 * from the kernel at boot.  The range is claimed and mapped cached, and becomes the
 * region of the pool "shared".  The global pool takes its memory there, and so do all
 * pools that were created without a large pool.
 *
 * A pool of mpool_large_create() takes its arenas there, too: see nested.c.
 *
 * Invariant: the range is mapped and claimed as long as a run of it is in use, also after
 * mpool was unloaded.  So objects that outlive mpool can be used, and no other driver can
 * claim the range.
 *
 * Locking: none; called at init and exit of the module.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "region.h"
#include "reserved.h"

static unsigned long long region_phys = MPOOL_NO_PHYS;
static unsigned long long region_size;

/* A number of bytes as on the command line of the kernel: 0x40000000, 64M. */
static int bytes_set(const char *val, const struct kernel_param *kp)
{
	char *end;
	unsigned long long bytes = memparse(val, &end);

	if (end == val || (*end && *end != '\n')) {
		pr_err("%s=%.*s is not a number of bytes\n", kp->name,
		       (int)strcspn(val, "\n"), val);
		return -EINVAL;
	}
	*(unsigned long long *)kp->arg = bytes;
	return 0;
}

static int bytes_get(char *buf, const struct kernel_param *kp)
{
	unsigned long long bytes = *(unsigned long long *)kp->arg;

	if (kp->arg == &region_size)
		return sysfs_emit(buf, "%llu\n", bytes);
	return bytes == MPOOL_NO_PHYS ? sysfs_emit(buf, "none\n") :
					sysfs_emit(buf, "%#llx\n", bytes);
}

static const struct kernel_param_ops bytes_ops = {
	.set = bytes_set,
	.get = bytes_get,
};

module_param_cb(region_phys, &bytes_ops, &region_phys, 0400);
MODULE_PARM_DESC(region_phys, "Physical address of reserved memory that all of mpool's comes from");
module_param_cb(region_size, &bytes_ops, &region_size, 0444);
MODULE_PARM_DESC(region_size, "Bytes of that memory");

/* The range, or NULL while it is not mapped, and its address. */
static struct resource *reserved;
static void *reserved_base;

static struct mpool_arena *reserved_grow(struct mpool_large *large, u32 npages,
					 unsigned long align, gfp_t gfp)
{
	return NULL;
}

static void reserved_unmap(void)
{
	const char *name = reserved->name;

	memunmap(reserved_base);
	release_mem_region(reserved->start, resource_size(reserved));
	kfree(name);
	reserved = NULL;
}

/* Called when no run of the range is in use. */
static void reserved_release(struct mpool_arena *arena)
{
	reserved_unmap();
}

static const struct mpool_large_source reserved_source = {
	.what = "a region",
	.grow = reserved_grow,
	.release = reserved_release,
};

/* Returns a message if the parameters are invalid, or NULL. */
static const char *reserved_check(phys_addr_t phys, size_t size)
{
	phys_addr_t end;

	if (!IS_ENABLED(CONFIG_HAS_IOMEM))
		return "this kernel has no physical ranges";
	if (phys == MPOOL_NO_PHYS || !size)
		return "both parameters are needed, and the size is not 0";
	if (!PAGE_ALIGNED(phys) || !PAGE_ALIGNED(size))
		return "address and size must be multiples of a page";
	if (size >> PAGE_SHIFT > RUNS_MAX_PAGES)
		return "size is more than a region can have";
	if (check_add_overflow(phys, (phys_addr_t)size - 1, &end) ||
	    end > iomem_resource.end)
		return "the range ends beyond what the machine can address";
	/* memremap() would map RAM that is in use. */
	if (region_intersects(phys, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return "a part is RAM of the kernel's: reserve it, by memmap= or no-map";
	return NULL;
}

/*
 * Claims and maps the range.  Its name is a copy on the heap, not in the memory of the
 * module: the range may stay in /proc/iomem after mpool was unloaded.
 */
static int reserved_map(phys_addr_t phys, size_t size)
{
	char *name = kstrdup("mpool", GFP_KERNEL);

	if (!name)
		return -ENOMEM;
	reserved = request_mem_region(phys, size, name);
	if (!reserved) {
		pr_err("region_phys=%pa region_size=%zu: is claimed already, see /proc/iomem (perhaps by an earlier mpool that was unloaded with live objects)\n",
		       &phys, size);
		kfree(name);
		return -EBUSY;
	}
	reserved_base = memremap(phys, size, MEMREMAP_WB);
	if (reserved_base)
		return 0;
	pr_err("region_phys=%pa region_size=%zu: the range cannot be mapped\n",
	       &phys, size);
	release_mem_region(phys, size);
	reserved = NULL;
	kfree(name);
	return -EINVAL;
}

/* Creates the pool "shared" over the range. */
static int reserved_share(phys_addr_t phys, size_t size)
{
	const struct mpool_region_args args = {
		.flags = MPOOL_REGION_PHYS,
		.phys = phys,
	};
	const char *wrong = reserved_check(phys, size);
	struct mpool_large *large;
	int err;

	if (wrong) {
		pr_err("region_phys=%pa region_size=%zu: %s\n", &phys, size,
		       wrong);
		return -EINVAL;
	}
	err = reserved_map(phys, size);
	if (err)
		return err;
	large = mpool_region_create("shared", &reserved_source, reserved_base,
				    size, &args, MPOOL_HERE);
	if (IS_ERR(large)) {
		if (reserved)
			reserved_unmap();
		return PTR_ERR(large);
	}
	mpool_large_shared = large;
	return 0;
}

/* Does nothing if no parameter was given. */
int mpool_reserved_init(void)
{
	if (region_phys == MPOOL_NO_PHYS && !region_size)
		return 0;
	return reserved_share(region_phys, region_size);
}

/* Called after all pools have ended: warns if the range has to stay. */
void mpool_reserved_exit(void)
{
	if (reserved)
		pr_warn("objects are still live in %pR: it stays mapped and claimed\n",
			reserved);
}
