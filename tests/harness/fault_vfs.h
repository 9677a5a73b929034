/* A disk that loses what was not synced: a VFS for SQLite ("fault") whose files live in memory, each as the image that survives a power cut and
 * the writes since the last sync. One connection at a time (it does not lock).
 *
 * Every write, truncate and sync is an operation, counted from 1. From the operation of a crash on, none succeeds, until fault_vfs_power_on()
 * decides what of the unsynced writes had reached the disk: nothing, or any sectors in any order, drawn from a seed. */
#ifndef LAMPPOST_TESTS_FAULT_VFS_H
#define LAMPPOST_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_VFS "fault"

/* Registers it (once) and forgets all files and settings. */
void fault_vfs_reset(void);
/* Operations so far since the reset or the last power on. */
uint64_t fault_vfs_operations(void);
/* The power goes at this operation; 0: never. */
void fault_vfs_crash_at(uint64_t operation);
/* This one operation fails with SQLite's `code` (SQLITE_FULL, SQLITE_IOERR_WRITE...) and changes nothing. */
void fault_vfs_fail_at(uint64_t operation, int code);
/* Every connection is closed. seed 0: all unsynced writes are lost; else each 512-byte sector of each of them is kept or lost at random. */
void fault_vfs_power_on(uint64_t seed);

/* --- several machines: a file "NAME/x.db" lies on the disk NAME, which has power, operations and crashes of its own. The functions
 * above are those of the disk of files without a folder. */
struct fault_disk;
struct fault_disk *fault_vfs_disk(const char *name); /* lent until the next reset */
uint64_t fault_disk_operations(const struct fault_disk *disk);
void fault_disk_crash_at(struct fault_disk *disk, uint64_t operation);
/* From now on no operation succeeds. */
void fault_disk_power_off(struct fault_disk *disk);
bool fault_disk_is_off(const struct fault_disk *disk);
/* As fault_vfs_power_on(). Returns whether some sectors were kept and some lost. */
bool fault_disk_power_on(struct fault_disk *disk, uint64_t seed);
/* Only the process died: what it had written is there, synced or not. */
void fault_disk_restart(struct fault_disk *disk);

#endif
