/* Connections of the relay that wait for flows. */
#include <stdlib.h>

#include "gateway.h"

#define MAX_PARKED 256

static struct source *parked[MAX_PARKED];
static int count;

static void drop(struct source *s) {
  for (int i = 0; i < count; i++)
    if (parked[i] == s) parked[i] = parked[--count];
  loop_close(s);
  free(s);
}

/* Nothing is to come on a parked connection but its end. */
static void run(struct source *s) {
  if (s->ready & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) drop(s);
}

void parked_add(int fd) {
  struct source *s = count < MAX_PARKED ? calloc(1, sizeof *s) : NULL;
  if (s) *s = (struct source){.fd = -1, .run = run};
  if (!s || !loop_watch(s, fd, EPOLLIN | EPOLLRDHUP)) {
    free(s);
    reset_fd(fd);
    return;
  }
  parked[count++] = s;
}

int parked_take(void) {
  if (!count) return -1;
  struct source *s = parked[--count];
  int fd = loop_release(s);
  free(s);
  return fd;
}
