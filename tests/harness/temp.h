/* A temporary folder of one test program, for sockets and databases. */
#ifndef LAMPPOST_TESTS_TEMP_H
#define LAMPPOST_TESTS_TEMP_H

/* Makes the folder at the first call (under $TMPDIR or /tmp) and has it removed at exit. Gives the path of
 * `name` in it, static, one of 16 that are used in turn. */
const char *t_temp(const char *name);

#endif
