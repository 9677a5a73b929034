/* Secrets, and where they turn up: each is looked for raw (in both byte orders), as hex in both cases, and as base64 at each of its
 * three alignments; in bytes, in every file below a folder, and in the memory of a process as it stands (which needs root: the processes
 * are not dumpable).
 *
 *	struct t_needles needles = {.count = 0};
 *	t_needle_add(&needles, "AppSKey", key.bytes, 16);
 *	t_uint("found", 0, t_needles_in_folder(&needles, dir, NULL)); */
#ifndef LAMPPOST_TESTS_NEEDLES_H
#define LAMPPOST_TESTS_NEEDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define T_NEEDLES      16
#define T_NEEDLE_FORMS 7
#define T_NEEDLE_MAX   32

struct t_needle {
	const char *name; /* borrowed */
	struct t_needle_form {
		uint8_t bytes[2 * T_NEEDLE_MAX + 8];
		size_t length;
	} forms[T_NEEDLE_FORMS];
	size_t form_count;
	unsigned found; /* forms found by the search that was last */
};

struct t_needles {
	struct t_needle needles[T_NEEDLES];
	size_t count;
	size_t searched; /* bytes, over all searches */
	bool silent;     /* finding one is what is wanted: nothing is printed */
};

/* `length` from 8, so that chance finds nothing, to T_NEEDLE_MAX. */
void t_needle_add(struct t_needles *needles, const char *name, const uint8_t *bytes, size_t length);
/* Forms of the needle of that name that the last search found. */
unsigned t_needle_found(const struct t_needles *needles, const char *name);

/* Each forgets what was found before, returns how many forms of any needle were found, and says which on standard error. */
unsigned t_needles_in_bytes(struct t_needles *needles, const char *where, const void *bytes, size_t length);
unsigned t_needles_in_file(struct t_needles *needles, const char *path);
/* `except`: a file's name that is not looked into; NULL: none. */
unsigned t_needles_in_folder(struct t_needles *needles, const char *folder, const char *except);
/* Every page that is present of what the process may write to. Aborts when it may not be read. */
unsigned t_needles_in_process(struct t_needles *needles, const char *name, int pid);

#endif
