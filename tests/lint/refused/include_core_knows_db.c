/* rule: includes as: network-server/dedup.c */
#include "common/db/db.h"
