/* Traffic that the gateway hands on leaves with the gateway's address. */
#ifndef MOORAGE_MASQUERADE_H
#define MOORAGE_MASQUERADE_H

/* Returns 0 or an errno: a kernel may have no part for it, and then needs none (see there). */
int masquerade(void);

#endif
