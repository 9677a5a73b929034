/* ASSERT is for bugs only, is always compiled in, and never stands on anything that a peer, a file or a disk can
 * cause. It prints where it stood and aborts. ASSERT_CMP prints both operands as well. */
#ifndef LAMPPOST_BASE_CHECK_H
#define LAMPPOST_BASE_CHECK_H

#define ASSERT(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, __func__, #condition))

/* Compares two integers: ASSERT_CMP(used, <=, capacity). */
#define ASSERT_CMP(left, op, right)                                                                      \
	(((left)op(right)) ? (void)0                                                                     \
			   : check_failed_values(__FILE__, __LINE__, __func__, #left " " #op " " #right, \
						 (long long)(left), (long long)(right)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

_Noreturn void check_failed(const char *file, int line, const char *function, const char *condition);
_Noreturn void check_failed_values(const char *file, int line, const char *function, const char *condition,
				   long long left, long long right);

#endif
