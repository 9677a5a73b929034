/* rule: words as: network-server/bad.c */
#include <unistd.h>
void bad(void);
void bad(void)
{
	usleep(100);
}
