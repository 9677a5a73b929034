/* A disk that loses what was not synced: a VFS for SQLite ("fault") whose files live in memory, each as the image that survives a power cut and
 * the writes since the last sync. One connection at a time (it does not lock).
 *
 * Every write, truncate and sync is an operation, counted from 1. From the operation of a crash on, none succeeds, until fault_vfs_power_on()
 * decides what of the unsynced writes had reached the disk: nothing, or any sectors in any order, drawn from a seed. */
#ifndef LAMPPOST_TESTS_FAULT_VFS_H
#define LAMPPOST_TESTS_FAULT_VFS_H

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

#endif
