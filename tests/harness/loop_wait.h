/* Waiting for something that no event of the loop tells of, such as the end of a child that the loop serves. */
#ifndef LAMPPOST_TESTS_LOOP_WAIT_H
#define LAMPPOST_TESTS_LOOP_WAIT_H

#include <stdbool.h>

struct io_loop;

/* Runs turns of the loop and asks every few milliseconds, also when nothing happens on it, until the condition holds or `ceiling`
 * seconds have passed; returns what it said last. io_loop_run_until() alone asks only after an event: once a child has closed its
 * connection, the next may be a timer of the library's, many seconds later. */
bool t_wait_on_loop(struct io_loop *loop, bool (*condition)(void *ctx), void *ctx, double ceiling);

#endif
