/* The capabilities that containers of ours start with and must not keep. */
#ifndef MOORAGE_RIGHTS_H
#define MOORAGE_RIGHTS_H

#include <stdbool.h>

/* Takes CAP_SYS_BOOT out of the bounding set, so that nothing that is executed gets it. False: errno. */
bool rights_forbid_reboot(void);
/* Takes CAP_SYS_BOOT out of all other sets, and all ambient ones away. False: errno. */
bool rights_drop_reboot(void);
/* Gives all capabilities up. False: errno. */
bool rights_drop_all(void);

#endif
