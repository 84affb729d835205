/* Words for people on stderr, and paths, without the weight of printf. */
#ifndef MOORAGE_SAY_H
#define MOORAGE_SAY_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the texts up to the NULL one after the other to fd. */
void say(int fd, const char *first, ...) __attribute__((sentinel));
/* Puts the texts up to the NULL together. False: they do not fit in `size` bytes; `to` is then empty. */
bool join(char *to, size_t size, const char *first, ...) __attribute__((sentinel));

#endif
