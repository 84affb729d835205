/*
 * One thread, one epoll. Everything that is waited for is a source; its events come edge-triggered and are remembered in
 * `ready`, so a source that cannot go on (no credit, a full queue) costs no system call until it can.
 */
#ifndef MOORAGE_LOOP_H
#define MOORAGE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* What loop_later waits: too short to be seen, long enough for a busy process to write or read hundreds of kilobytes. */
#define LATER_US 250

struct source {
  int fd;                       /* -1 while there is none */
  uint32_t ready;               /* epoll bits that came; `run` takes out what it used up */
  void (*run)(struct source *); /* called once a round while the source is due */
  void *owner;
  struct source *prev, *next; /* of the list it waits in, if any */
  int64_t later_us;           /* when loop_later's wait ends */
};

/* A list of sources. A source is in one list at most. */
struct list {
  struct source head;
};

void list_init(struct list *list);
void list_add(struct list *list, struct source *source); /* moves it to the end, out of any other list */
void list_remove(struct source *source);
struct source *list_first(struct list *list); /* NULL: empty */

void loop_init(void);
/* Watches fd for `events` (edge-triggered) and owns it from now on. False: epoll cannot watch it; it is not owned then. */
bool loop_watch(struct source *source, int fd, uint32_t events);
/* Calls `run` in the next round, without waiting for an event. */
void loop_again(struct source *source);
/* Calls `run` after LATER_US, or when something else makes it due. */
void loop_later(struct source *source);
/* Goes on watching, but for other events; for 0, only an end or an error is heard of. */
void loop_rewatch(struct source *source, uint32_t events);
/* Closes the source's fd; `run` is not called again. No-op where there is none. */
void loop_close(struct source *source);
/* Stops watching and gives the fd back, open. */
int loop_release(struct source *source);
/* Runs for ever. `wait_ms` says how long a round may wait (-1: for ever), `round` is called at the end of each. */
void loop_run(int (*wait_ms)(void), void (*round)(void)) __attribute__((noreturn));
/* Milliseconds, and microseconds, of a clock that never jumps. */
int64_t now_ms(void);
int64_t now_us(void);

#endif
