/* rule: tidy as: common/base/bad.c */
#include <stdlib.h>
int bad(void);
int bad(void)
{
	char *leaked = malloc(10);
	if (!leaked)
		return 1;
	leaked[0] = 1;
	return leaked[0];
}
