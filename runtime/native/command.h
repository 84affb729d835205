/* What RUN and SPAWN carry, and how a process becomes it. */
#ifndef MOORAGE_COMMAND_H
#define MOORAGE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command {
  uint16_t flags, cols, rows;
  char *cwd, *user;
  char **argv; /* NULL-ended; the strings lie in the payload that it was read from */
  char **env;  /* NULL-ended, with room for two more */
};

/* What goes through the pipe between a process that could not start and the agent. */
struct failure {
  uint32_t error;
  uint8_t step;
};

/* Reads a payload; the command points into it. Returns 0 or an errno. Free with command_free. */
int command_read(struct command *command, uint8_t *payload, size_t length);
void command_free(struct command *command);

/*
 * Turns this process into the command; `stdio` become its descriptors 0, 1 and 2. Returns only if that failed, with the
 * reason. To be called in a process of its own: half of what it does cannot be undone.
 */
struct failure command_become(struct command *command, const int stdio[3]);

/* The limit of open files that processes start with, as it was before the agent raised its own. */
void command_keep_limits(void);

#endif
