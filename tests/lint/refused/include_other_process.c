/* rule: includes as: network-server/main.c */
#include "join-server/join.h"
