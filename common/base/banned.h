/* Functions that do not compile here. Force-included before every source of ours (see the Makefile); the
 * system headers that declare them are included first, so that only our own uses are refused. */
#ifndef LAMPPOST_BANNED_H
#define LAMPPOST_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atoll atof srand gets
#pragma GCC poison gmtime localtime ctime asctime tmpnam mktemp

#ifndef __clang__ /* clang, which only lints here, wants the attribute on the first declaration */
/* OpenSSL's headers have parameters of this name, so it is refused where it is called. */
int rand(void) __attribute__((__error__("draw from a struct rng")));
#endif

#endif
