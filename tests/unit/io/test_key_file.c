/* Key files: what is read, what is refused and by which name, and that nothing is ever overwritten. */
#include "tests/harness/harness.h"

#include "common/io/key_file.h"
#include "tests/harness/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[T_DIR_MAX], path[T_DIR_MAX + 16], other[T_DIR_MAX + 16];

static void make_dir(void)
{
	t_temp_dir(dir);
	snprintf(path, sizeof path, "%s/key", dir);
	snprintf(other, sizeof other, "%s/other", dir);
}

static int open_dir(void **state)
{
	make_dir();
	return t_setup(state);
}

static int close_dir(void **state)
{
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

enum twist {
	AS_MADE,
	REMOVED,
	GROUP_READS,
	OTHERS_READ,
	OWNER_ONLY_READS,
	SHORTER,
	LONGER,
	LINK,
	FOLDER,
	PIPE,
	OTHER_OWNER
};

static void twist_file(enum twist twist)
{
	switch (twist) {
	case AS_MADE: break;
	case REMOVED: assert_int_equal(unlink(path), 0); break;
	case GROUP_READS: assert_int_equal(chmod(path, 0640), 0); break;
	case OTHERS_READ: assert_int_equal(chmod(path, 0604), 0); break;
	case OWNER_ONLY_READS: assert_int_equal(chmod(path, 0400), 0); break;
	case SHORTER: assert_int_equal(truncate(path, 31), 0); break;
	case LONGER: assert_int_equal(truncate(path, 33), 0); break;
	case LINK:
		assert_int_equal(rename(path, other), 0);
		assert_int_equal(symlink(other, path), 0);
		break;
	case FOLDER:
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		break;
	case PIPE:
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case OTHER_OWNER: assert_int_equal(chown(path, 54321, (gid_t)-1), 0); break;
	}
}

static void each_fault_has_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum twist twist;
		enum key_file_verdict verdict;
		bool needs_root;
	} rows[] = {
		{"as it was made", AS_MADE, KEY_FILE_OK, false},
		{"removed", REMOVED, KEY_FILE_MISSING, false},
		{"the group may read", GROUP_READS, KEY_FILE_OPEN_TO_ALL, false},
		{"others may read", OTHERS_READ, KEY_FILE_OPEN_TO_ALL, false},
		{"read-only for its owner", OWNER_ONLY_READS, KEY_FILE_OK, false},
		{"a byte short", SHORTER, KEY_FILE_WRONG_SIZE, false},
		{"a byte long", LONGER, KEY_FILE_WRONG_SIZE, false},
		{"a link to a good one", LINK, KEY_FILE_NOT_REGULAR, false},
		{"a folder", FOLDER, KEY_FILE_NOT_REGULAR, false},
		{"a named pipe", PIPE, KEY_FILE_NOT_REGULAR, false},
		{"of another user", OTHER_OWNER, KEY_FILE_WRONG_OWNER, true},
	};
	uint8_t key[32], got[32];
	memset(key, 0x5a, sizeof key);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		if (rows[i].needs_root && geteuid() != 0)
			continue; /* only root can make such a file */
		t_temp_dir_remove(dir);
		make_dir();
		assert_int_equal(key_file_create(path, key, sizeof key, 0600), KEY_FILE_OK);
		twist_file(rows[i].twist);
		memset(got, 0, sizeof got);
		enum key_file_verdict verdict = key_file_read(path, got, sizeof got);
		t_str("verdict", key_file_verdict_name(rows[i].verdict), key_file_verdict_name(verdict));
		t_uint("filled only when good", rows[i].verdict == KEY_FILE_OK ? 0x5a : 0, got[31]);
		t_int("exists", rows[i].twist != REMOVED, key_file_exists(path));
	}
}

static void a_file_is_made_once(void **state)
{
	(void)state;
	uint8_t first[32] = {1}, second[32] = {2}, got[32];
	struct stat made;
	umask(0007);
	t_int("made", KEY_FILE_OK, key_file_create(path, first, sizeof first, 0644));
	assert_int_equal(stat(path, &made), 0);
	t_uint("mode, whatever the umask", 0644, made.st_mode & 0777);
	assert_int_equal(chmod(path, 0600), 0);
	t_int("not over another", KEY_FILE_EXISTS, key_file_create(path, second, sizeof second, 0600));
	t_int("read", KEY_FILE_OK, key_file_read(path, got, sizeof got));
	t_bytes("the first", first, sizeof first, got, sizeof got);
	memset(got, 0, sizeof got);
	t_true("read at a start", key_file_read_logged(path, got, sizeof got));
	t_bytes("the same", first, sizeof first, got, sizeof got);
	t_false("refused at a start: another size", key_file_read_logged(path, got, sizeof got - 1));
	assert_int_equal(symlink("nowhere", other), 0);
	t_int("not through a link", KEY_FILE_EXISTS, key_file_create(other, first, sizeof first, 0600));
	char deep[T_DIR_MAX + 32];
	snprintf(deep, sizeof deep, "%s/no/key", dir);
	t_int("not in a folder that is not there", KEY_FILE_MISSING, key_file_create(deep, first, 32, 0600));
}

int main(void)
{
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {IN_DIR(each_fault_has_its_name), IN_DIR(a_file_is_made_once)};
	return t_run(tests);
}
