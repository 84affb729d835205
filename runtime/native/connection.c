/* DIAL: connections to the ports of the container. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

/* Where servers listen: on all addresses or 127.0.0.1, on ::1 only, on the sandbox's own address only. */
#define ATTEMPTS 3

static bool own_address(struct in_addr *address) {
  struct ifreq request = {.ifr_name = "eth0"};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool found = fd >= 0 && !ioctl(fd, SIOCGIFADDR, &request);
  if (found) *address = ((struct sockaddr_in *)&request.ifr_addr)->sin_addr;
  if (fd >= 0) close(fd);
  return found;
}

static socklen_t target(int attempt, uint16_t port, struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (attempt == 1) {
    *(struct sockaddr_in6 *)to = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return sizeof(struct sockaddr_in6);
  }
  struct sockaddr_in *v4 = (struct sockaddr_in *)to;
  *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return attempt == 2 && !own_address(&v4->sin_addr) ? 0 : sizeof *v4;
}

static void reset(int fd) {
  struct linger now = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Both directions are done, and both sides know it: the id may be used again. */
static void input_closed(void *owner) {
  struct entry *e = owner;
  if (e->out[0].ended) entry_unlist(e);
}

static void output_closed(void *owner, int error) {
  struct entry *e = owner;
  if (error) {
    if (e->listed) send_failed(e->id, error, STEP_CONNECT);
    inlet_close(&e->in);
    entry_unlist(e);
  } else if (e->in.ending) {
    entry_unlist(e); /* what the inlet still holds is written after that */
  }
}

static void opened(struct entry *e, int fd) {
  int other = fcntl(fd, F_DUPFD_CLOEXEC, 3), yes = 1;
  if (other < 0) {
    send_failed(e->id, errno, STEP_LIMIT);
    close(fd);
    entry_unlist(e);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  link_send(&relay, FROM_AGENT_OPENED, e->id, NULL, 0);
  outlet_open(&e->out[0], &relay, e->id, STREAM_CONNECTION, fd);
  inlet_connect(&e->in, other);
}

/* Tries the addresses from e->attempt on, until one is under way, open, or all have failed. */
static void dial(struct entry *e) {
  for (; e->attempt < ATTEMPTS; e->attempt++) {
    struct sockaddr_storage to;
    socklen_t size = target(e->attempt, e->port, &to);
    int fd = size ? socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (fd < 0) {
      if (!e->first_error) e->first_error = errno;
      continue;
    }
    int error = connect(fd, (struct sockaddr *)&to, size) ? errno : 0;
    struct pollfd done = {.fd = fd, .events = POLLOUT};
    /* On loopback the handshake is over before connect returns, although it says EINPROGRESS. */
    if (error == EINPROGRESS && poll(&done, 1, 0) == 1) {
      socklen_t length = sizeof error;
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    if (!error) {
      opened(e, fd);
      return;
    }
    if (error == EINPROGRESS && loop_watch(&e->dialing, fd, EPOLLOUT)) return;
    if (!e->first_error) e->first_error = error;
    close(fd);
  }
  send_failed(e->id, e->first_error, STEP_CONNECT);
  inlet_close(&e->in);
  entry_unlist(e);
}

static void dialing_run(struct source *s) {
  struct entry *e = s->owner;
  int error = 0;
  socklen_t length = sizeof error;
  s->ready = 0;
  getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (!error) {
    opened(e, loop_release(s));
    return;
  }
  loop_close(s);
  if (!e->first_error) e->first_error = error;
  e->attempt++;
  dial(e);
}

void connection_dial(uint32_t id, uint16_t port) {
  struct entry *e = entry_add(id, false);
  if (!e) return;
  e->port = port;
  e->dialing.run = dialing_run;
  e->in.closed = input_closed;
  e->out[0].closed = output_closed;
  inlet_open(&e->in, &relay, id, -1, true);
  dial(e);
}

void connection_input_end(struct entry *e) {
  if (e->out[0].ended) e->listed = false; /* both sides know that it is over, whatever is still to be written */
  inlet_end(&e->in);
}

void connection_reset(struct entry *e) {
  int fd = outlet_is_open(&e->out[0]) ? e->out[0].source.fd : e->in.fd;
  if (fd >= 0) reset(fd);
  loop_close(&e->dialing);
  outlet_close(&e->out[0]);
  inlet_close(&e->in);
  entry_unlist(e);
}

bool connection_is_gone(const struct entry *e) {
  return e->dialing.fd < 0 && !outlet_is_open(&e->out[0]) && !inlet_is_open(&e->in);
}
