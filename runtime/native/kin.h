/* All that a process started and that stayed in its session. */
#ifndef MOORAGE_KIN_H
#define MOORAGE_KIN_H

#include <sys/types.h>

/* Kills every process of a session. The leader may have ended: its number is not given out again while one is left. */
void kin_kill(pid_t session);

#endif
