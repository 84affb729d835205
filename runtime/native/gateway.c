/* The gateway: all that leaves the sandboxes comes here. Its listeners, its control connection, and who may open one. */
#include "gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "command.h"
#include "masquerade.h"
#include "modes.h"
#include "say.h"

#define FAILED 70
#define MAX_OPENINGS 64
#define OPENING_MS 5000
#define GATEWAY_OPENING_BYTES (4 + 1 + SECRET_BYTES + 1)

struct link control;

struct listener {
  struct source source;
  struct listener *next;
  uint16_t port;
};

struct opening {
  struct source source;
  struct opening *next;
  int64_t until;
  size_t length;
  uint8_t bytes[GATEWAY_OPENING_BYTES];
};

static struct claim claim;
static struct listener *listeners;
static struct opening *openings;
static int opening_count;
static struct source *starved; /* a listener that had no descriptor for a connection */

static void accept_run(struct source *s, void (*accepted)(int fd, struct sockaddr_in from, struct sockaddr_in to)) {
  for (int i = 0; i < 64; i++) {
    struct sockaddr_in from, to;
    socklen_t size = sizeof from;
    int fd = accept4(s->fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      starved = s;
      return;
    }
    if (fd < 0) continue;
    size = sizeof to;
    if (getsockname(fd, (struct sockaddr *)&to, &size)) close(fd);
    else accepted(fd, from, to);
  }
  loop_again(s);
}

static void flow_accepted(int fd, struct sockaddr_in from, struct sockaddr_in to) {
  if (is_sandbox(from.sin_addr)) flow_accept(fd, from, to);
  else reset_fd(fd);
}

static void flow_listener_run(struct source *s) {
  accept_run(s, flow_accepted);
}

static int listen_at(struct source *s, struct in_addr address, uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)};
  if (fd < 0) return errno;
  /* Our own ports may be covered too, for all other addresses: the kernel takes the listener that fits best. */
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1024) || !loop_watch(s, fd, EPOLLIN)) {
    int error = errno;
    close(fd);
    return error;
  }
  return 0;
}

static int cover(uint16_t port) {
  struct in_addr any = {0};
  for (struct listener *l = listeners; l; l = l->next)
    if (l->port == port) return 0;
  struct listener *l = port ? calloc(1, sizeof *l) : NULL;
  if (!l) return port ? ENOMEM : EINVAL;
  l->source = (struct source){.fd = -1, .run = flow_listener_run};
  l->port = port;
  int error = listen_at(&l->source, any, port);
  if (!error && (error = rules_cover(true, port))) loop_close(&l->source);
  if (error) {
    free(l);
    return error;
  }
  l->next = listeners;
  listeners = l;
  return 0;
}

static int uncover(uint16_t port) {
  struct listener **at = &listeners;
  while (*at && (*at)->port != port) at = &(*at)->next;
  struct listener *l = *at;
  if (!l) return 0;
  int error = rules_cover(false, port);
  if (error) return error;
  *at = l->next;
  if (starved == &l->source) starved = NULL;
  loop_close(&l->source);
  free(l);
  return 0;
}

static void frame(uint8_t type, uint32_t id, uint8_t *payload, size_t length) {
  uint8_t done[4];
  int error = EBADMSG;
  if (type == TO_GATEWAY_ANSWER) {
    datagram_answer(id, payload, length);
    return;
  }
  if (type == TO_GATEWAY_COVER) {
    if (length == 2) error = cover(get16(payload));
  } else if (type == TO_GATEWAY_UNCOVER) {
    if (length == 2) error = uncover(get16(payload));
  } else if (type == TO_GATEWAY_INTERNET) {
    struct in_addr address;
    if (length == 5) {
      memcpy(&address, payload, 4);
      error = rules_internet(address, payload[4]);
    }
  } else if (type == TO_GATEWAY_REFUSE) {
    struct in_addr address;
    if (length == 5) {
      memcpy(&address, payload, 4);
      error = rules_refuse_too(address, payload[4]);
    }
  } else {
    return;
  }
  put32(done, (uint32_t)error);
  link_send(&control, FROM_GATEWAY_DONE, id, done, sizeof done);
}

/* Rules and open flows stay, for the next control connection. */
static void lost(void) {
}

static void opening_close(struct opening *o, bool keep_fd) {
  struct opening **at = &openings;
  while (*at != o) at = &(*at)->next;
  *at = o->next;
  opening_count--;
  if (!keep_fd) loop_close(&o->source);
  free(o);
}

static bool is_secret(const uint8_t *bytes) {
  uint8_t different = 0;
  for (int i = 0; i < SECRET_BYTES; i++) different |= bytes[i] ^ claim.secret[i];
  return !different;
}

static void opening_run(struct source *s) {
  struct opening *o = s->owner;
  ssize_t n = recv(s->fd, o->bytes + o->length, sizeof o->bytes - o->length, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n > 0) o->length += (size_t)n;
  if (n > 0 && o->length < sizeof o->bytes) {
    loop_again(s);
    return;
  }
  uint8_t kind = o->bytes[5 + SECRET_BYTES];
  bool good = n > 0 && !memcmp(o->bytes, GATEWAY_MAGIC, 4) && o->bytes[4] == WIRE_VERSION && is_secret(o->bytes + 5);
  if (!good || (kind != KIND_CONTROL && kind != KIND_PARKED)) {
    opening_close(o, false);
    return;
  }
  int fd = loop_release(s);
  opening_close(o, true);
  if (kind == KIND_PARKED) {
    parked_add(fd);
  } else {
    link_close(&control);
    if (!link_open(&control, fd)) close(fd);
  }
}

static void runtime_accepted(int fd, struct sockaddr_in from, struct sockaddr_in to) {
  (void)to;
  int yes = 1;
  /* The runtime comes in by the published port: from the host's address on our network, or from outside it. */
  struct opening *o = is_sandbox(from.sin_addr) || opening_count == MAX_OPENINGS ? NULL : calloc(1, sizeof *o);
  if (!o) {
    reset_fd(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  o->source = (struct source){.fd = -1, .run = opening_run, .owner = o};
  o->until = now_ms() + OPENING_MS;
  o->next = openings;
  openings = o;
  opening_count++;
  if (!loop_watch(&o->source, fd, EPOLLIN | EPOLLRDHUP)) {
    close(fd);
    opening_close(o, true);
  }
}

static void runtime_run(struct source *s) {
  accept_run(s, runtime_accepted);
}

static void stdin_run(struct source *s) {
  uint8_t ignored[512];
  ssize_t n = read(s->fd, ignored, sizeof ignored);
  if (n > 0) loop_again(s);
  else if (n == 0 || (errno != EAGAIN && errno != EINTR)) _exit(0);
}

static int wait_ms(void) {
  return openings || starved ? 200 : flow_wait_ms();
}

static void round_end(void) {
  if (starved) loop_again(starved);
  starved = NULL;
  int64_t now = openings ? now_ms() : 0;
  for (struct opening *o = openings, *next; o; o = next) {
    next = o->next;
    if (now > o->until) opening_close(o, false);
  }
  flow_tick();
  link_flush(&control);
}

static void stop(int signal) {
  _exit(128 + signal);
}

int gateway_main(char **networks) {
  static struct source input = {.fd = -1, .run = stdin_run}, runtime = {.fd = -1, .run = runtime_run};
  static struct source agents = {.fd = -1, .run = flow_listener_run};
  for (; *networks; networks++) {
    if (rules_refuse(*networks)) continue;
    say(2, "moorage-agent gateway: ", *networks, " is not an IPv4 network, or one too many.\n", NULL);
    return 2;
  }
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN); /* splice knows no MSG_NOSIGNAL */
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  int error = claim_read(&claim, CLAIM_OF_GATEWAY);
  if (error) return error;
  command_keep_limits();
  loop_init();
  link_init(&control);
  control.frame = frame;
  control.lost = lost;
  error = netlink_open();
  if (!error) error = netlink_interface(&own);
  if (!error) error = listen_at(&runtime, own.address, RUNTIME_PORT);
  if (!error) error = listen_at(&agents, own.address, AGENT_PORT);
  if (!error) error = datagram_open();
  if (!error) error = rules_set();
  if (error) {
    say(2, "moorage-agent gateway: ", strerror(error), ".\n", NULL);
    return FAILED;
  }
  error = masquerade();
  if (error) say(2, "moorage-agent gateway: no masquerading: ", strerror(error), ".\n", NULL);
  fcntl(0, F_SETFL, O_NONBLOCK);
  if (!loop_watch(&input, 0, EPOLLIN | EPOLLRDHUP)) return 0;
  if (write(1, "ready\n", 6) != 6) return FAILED;
  loop_run(wait_ms, round_end);
}
