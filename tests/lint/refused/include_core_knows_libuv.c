/* rule: includes as: network-server/bad.c */
#include <uv.h>
