#include "loop.h"

#include <stddef.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64

static int epoll_fd = -1;
static struct list due;

void list_init(struct list *list) {
  list->head.prev = list->head.next = &list->head;
}

void list_remove(struct source *s) {
  if (!s->next) return;
  s->prev->next = s->next;
  s->next->prev = s->prev;
  s->prev = s->next = NULL;
}

void list_add(struct list *list, struct source *s) {
  list_remove(s);
  s->prev = list->head.prev;
  s->next = &list->head;
  s->prev->next = s->next->prev = s;
}

struct source *list_first(struct list *list) {
  return list->head.next == &list->head ? NULL : list->head.next;
}

void loop_init(void) {
  list_init(&due);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) _exit(70);
}

bool loop_watch(struct source *s, int fd, uint32_t events) {
  struct epoll_event event = {.events = events | EPOLLET, .data.ptr = s};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) return false;
  s->fd = fd;
  s->ready = 0;
  return true;
}

void loop_again(struct source *s) {
  list_add(&due, s);
}

int loop_release(struct source *s) {
  int fd = s->fd;
  list_remove(s);
  if (fd >= 0) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
  s->fd = -1;
  return fd;
}

void loop_close(struct source *s) {
  int fd = loop_release(s); /* a copy of it in another process would keep it registered */
  if (fd >= 0) close(fd);
}

void loop_run(int (*wait_ms)(void), void (*round)(void)) {
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, list_first(&due) ? 0 : wait_ms());
    /* All events become due before anything runs: what runs may close and free other sources. */
    for (int i = 0; i < n; i++) {
      struct source *s = events[i].data.ptr;
      s->ready |= events[i].events;
      loop_again(s);
    }
    struct source end = {.fd = -1};
    list_add(&due, &end);
    for (struct source *s; (s = list_first(&due)) != &end;) {
      list_remove(s);
      s->run(s);
    }
    list_remove(&end);
    round();
  }
}

int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
