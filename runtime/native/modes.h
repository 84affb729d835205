/* The three programs that this one is. Each returns its exit code. */
#ifndef MOORAGE_MODES_H
#define MOORAGE_MODES_H

int agent_main(void);
int sandbox_main(const char *gateway);
/* `refused`: networks as a.b.c.d/n that no sandbox may reach, whatever it may do otherwise. NULL-ended. */
int gateway_main(char **refused);

#endif
