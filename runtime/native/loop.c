#include "loop.h"

#include <stddef.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64

static int epoll_fd = -1;
static struct list due;
static struct list later; /* all wait equally long: the first is the next */
static void later_run(struct source *timer);
static struct source timer = {.fd = -1, .run = later_run};

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
  list_init(&later);
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

void loop_rewatch(struct source *s, uint32_t events) {
  struct epoll_event event = {.events = events | EPOLLET, .data.ptr = s};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &event);
}

static void set_timer(int64_t us) {
  struct itimerspec at = {.it_value = {.tv_nsec = us * 1000}};
  timerfd_settime(timer.fd, 0, &at, NULL);
}

static bool has_timer(void) {
  if (timer.fd >= 0) return true;
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) return false;
  if (loop_watch(&timer, fd, EPOLLIN)) return true;
  close(fd);
  return false;
}

void loop_later(struct source *s) {
  if (!has_timer()) {
    loop_again(s);
    return;
  }
  if (!list_first(&later)) set_timer(LATER_US);
  s->later_us = now_us() + LATER_US;
  list_add(&later, s);
}

static void later_run(struct source *t) {
  uint64_t times;
  t->ready = 0;
  if (read(t->fd, &times, sizeof times) < 0) return;
  int64_t now = now_us();
  for (struct source *s; (s = list_first(&later)); loop_again(s)) {
    if (s->later_us <= now) continue;
    set_timer(s->later_us - now);
    return;
  }
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

int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t now_ms(void) {
  return now_us() / 1000;
}
